"""Which processes the image has: from the Procfile, else from the app's code."""
