"""Every way a phase can stop, as data. The words live in `messages` and `wording`."""
