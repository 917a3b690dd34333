"""A small network of our own that models a thing from one cutout."""
