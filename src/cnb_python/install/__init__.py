"""Installs packages into a staging environment, from pins or by the manager."""
