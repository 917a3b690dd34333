"""Parts that the diffusion models of shapes share: DINOv2, noise and steps, a grid's field, the surface near zero."""
