"""The segmentation network: a small network that tells objects from what they stand on, and from each other."""
