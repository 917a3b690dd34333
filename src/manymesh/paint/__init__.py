"""Painters: from a mesh and the cutout it was made of to a texture. Implementations answer the ``Paint`` protocol."""
