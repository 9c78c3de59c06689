"""The processes of images for tests and development."""
