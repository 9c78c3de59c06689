"""poetry.lock, exported by Poetry."""
