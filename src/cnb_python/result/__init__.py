"""The outcome of a build as a value: in the image, and as spans for the platform."""
