"""requirements.txt, installed by pip or, where it decides everything, by uv."""
