"""Programs that run in an image, by the app's own Python: single files, standard library only."""
