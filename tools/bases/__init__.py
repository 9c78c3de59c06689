"""Builds and runs the sample apps on several base images, and on another architecture."""
