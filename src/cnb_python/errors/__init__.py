"""Every way a phase can stop: each class beside its words, one module per family."""
