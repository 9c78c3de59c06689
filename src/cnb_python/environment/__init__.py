"""The app's environment; knows nothing of any single manager."""
