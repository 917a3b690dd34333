"""Plain functions on pictures: separating, cutting and cleaning. Knows no stage and no torch."""
