"""Parts of Stable Diffusion that the painters share: UNet, autoencoder, text encoder, sampling loop.

Importing this loads nothing heavy.
"""
