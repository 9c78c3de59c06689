"""The program that runs a phase and records its steps: one file, standard library only."""
