"""Apps without any file that names packages, whose code needs none."""
