"""System packages: Debian packages that the app needs, in layers of their own."""
