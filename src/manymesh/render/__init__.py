"""Drawing meshes and carrying colours between pictures and textures, on plain NumPy arrays.

    camera.py    where a picture's pixels lie in space: the one camera model
    raster.py    which triangle each pixel shows, and where on it
    spans.py     ... the runs of pixels that triangles cover
    geometry.py  normals
    sample.py    reading pictures between their pixels
    texels.py    which place of the surface each texel of a texture shows
    bake.py      photo -> texture, asked by the texels (the lite painter)
    fill.py      colours for the texels that no photo saw, and for the gaps between charts
    preview.py   pictures of a mesh, for people
    official.py  the Hunyuan3D-2 painter's frame, cameras and constants
    maps.py      ... its normal and position maps
    splat.py     ... its baker: photo -> texture, pushed by the pixels
    inpaint.py   ... its gap filling

Everything here is a plain function on arrays, runs on the CPU without torch and gives the same bytes every time.
"""
