"""The finder: a small network that tells things from what they stand on, and from each other."""
