"""Photos of several things on a ground, composed from renders: what the finder learns from."""
