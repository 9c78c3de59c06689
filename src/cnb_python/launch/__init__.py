"""What runs, and with which environment."""
