"""Runs xatlas in a process of its own: ``python -m manymesh.mesh.unwrap._xatlas_worker IN.npz OUT.npz``.

xatlas is one native call that cannot be interrupted and can, on a bad mesh, run for minutes; a process can be killed.
"""

from __future__ import annotations

import sys


def main(source: str, target: str) -> None:
    """Reads vertices (n, 3) float32 and faces (m, 3) uint32; writes source (k,), faces (m, 3) and uv (k, 2)."""
    import numpy as np
    import xatlas

    with np.load(source, allow_pickle=False) as given:
        vertices, faces = given["vertices"], given["faces"]
    atlas = xatlas.Atlas()
    atlas.add_mesh(vertices, faces)
    options = xatlas.PackOptions()
    options.resolution = 256  # only charts are wanted: manymesh packs them itself
    options.create_image = False
    atlas.generate(xatlas.ChartOptions(), options)
    mapping, corners, uv = atlas[0]
    size = np.array([atlas.width, atlas.height], dtype=np.float32)
    np.savez(target, source=mapping, faces=corners, uv=uv * size)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
