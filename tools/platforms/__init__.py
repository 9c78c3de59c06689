"""The real lifecycle, pack, an engine and base images: what builds run on here."""
