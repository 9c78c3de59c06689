"""Makes the buildpack's tree, its packages and its builder."""
