"""Reads the app's code, by parsing: its files, and the applications that they define."""
