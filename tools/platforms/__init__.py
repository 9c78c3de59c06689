"""The real lifecycle, pack, an engine and base images, which builds on this machine use.

Not named `platform`: `python3 tools/stage0.py` puts `tools/` on the import path, where a package
of that name would hide the module of the standard library.
"""
