"""Plain functions on images: reading, PNG, cropping, resampling. Knows no stage and no torch."""
