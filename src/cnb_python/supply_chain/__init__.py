"""Checks of the packages that an app requires, before anything of them runs: age and audit."""
