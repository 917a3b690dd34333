"""Further real models from public packages: a reader a package, each a function from its file to ``Found`` models."""
