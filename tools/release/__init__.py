"""Makes the files of a release, and the release that the test of upgrades starts from."""
