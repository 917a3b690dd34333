"""Segmentation of a photo: by the packaged network and by colour, and into instances. Knows no stage."""
