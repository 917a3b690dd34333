"""Photos of several objects on a background, composed from renders: what the segmentation network learns from."""
