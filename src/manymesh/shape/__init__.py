"""Shapes: from a cutout to geometry. Implementations answer the ``Shape`` protocol of ``stages.py``."""
