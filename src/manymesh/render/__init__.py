"""Drawing meshes, and carrying colours between pictures and textures, on plain NumPy arrays.

    camera.py      where a picture's pixels lie in space: the one camera model; a camera fitted to a cutout
    raster.py      which triangle each pixel shows, and where on it
    spans.py       ... the runs of pixels that triangles cover
    silhouette.py  how well a mesh's silhouette agrees with a cutout
    normals.py     normals of faces and vertices
    texels.py      the place on the surface that each texel of a texture shows
    bake.py        photo to texture, sampled by the texels
    fill.py        colours for the texels that no photo saw, and for the gaps between charts
    preview.py     pictures of a mesh, for people

Everything here is a plain function on arrays, runs on the CPU without torch and gives the same bytes every time.
"""
