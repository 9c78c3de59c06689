"""The tables of web frameworks, programs and workers, which `docs/processes.md` shows."""
