"""Drawing meshes, and carrying colours between pictures and textures, on plain NumPy arrays.

    camera.py      the one camera model: where a picture's pixels lie in space; a camera fitted to a cutout
    raster.py      which triangle each pixel shows, and where on it
    spans.py       ... the runs of pixels that triangles cover
    silhouette.py  how well a mesh's silhouette agrees with a cutout
    normals.py     face, vertex and corner normals
    texels.py      which point of the surface each texel of a texture shows
    bake.py        photo to texture: each texel looks up its own position in the photo (the lite painter)
    fill.py        colours for texels that no photo shows, and for the gaps between charts
    preview.py     pictures of a mesh, for people

Everything here is a plain function on arrays. It runs on the CPU without torch and gives the same bytes every time.
"""
