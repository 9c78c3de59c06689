"""pdm.lock, exported by PDM."""
