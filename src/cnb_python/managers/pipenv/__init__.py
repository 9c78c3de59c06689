"""Pipfile.lock and Pipfile, exported by Pipenv."""
