"""The software bill of materials (SBOM) of each layer: one model, written in two formats."""
