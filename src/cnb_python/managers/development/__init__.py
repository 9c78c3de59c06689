"""What images for tests and development contain in addition to the packages of production."""
