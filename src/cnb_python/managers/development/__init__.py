"""What images for tests and development have besides the packages of production."""
