"""Which Python the app gets: what it asks for, what its files admit, and which release answers."""
