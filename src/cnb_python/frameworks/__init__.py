"""What the app's own code does while it is built: hooks, data, static files."""
