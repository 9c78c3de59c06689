"""Steps that run the app's own code during a build: hooks, collectstatic, NLTK data."""
