"""Drawing and filling textures on a GPU, for all painters. Importing this loads nothing heavy."""
