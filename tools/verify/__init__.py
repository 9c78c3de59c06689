"""Builds an app again and compares the image with one that was built before."""
