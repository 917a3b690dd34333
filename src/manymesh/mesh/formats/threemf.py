"""3MF for printing (3MF Core 1.3, Materials and Properties 1.2).

Vertices stand in the mesh's own frame. Printers want +Z up and real sizes, so the build item turns the object upright,
scales it to millimetres and, where it has no place of its own, sets it on the plate.
"""

from __future__ import annotations

import zipfile
from io import BytesIO
from xml.sax.saxutils import quoteattr

import numpy as np

from manymesh.image.png import encode
from manymesh.mesh.formats.obj import formatted
from manymesh.mesh.formats.placement import UPRIGHT, FileFrame
from manymesh.mesh.formats.seams import weld
from manymesh.types import F64, Mesh, TexturedMesh

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
MATERIAL = "http://schemas.microsoft.com/3dmanufacturing/material/2015/02"
MODEL_TYPE = "application/vnd.ms-package.3dmanufacturing-3dmodel+xml"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
START_PART = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
TEXTURE_PART = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dtexture"
CONTENT = f"""<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
<Default Extension="model" ContentType="{MODEL_TYPE}"/><Default Extension="png" ContentType="image/png"/></Types>"""


def write_3mf(shape: Mesh | TexturedMesh, stem: str, name: str, frame: FileFrame) -> dict[str, bytes]:
    """The file STEM.3mf, with the texture or the vertex colours. ``frame.scale`` leads to millimetres."""
    geometry = shape.atlas if isinstance(shape, TexturedMesh) else shape
    positions, faces, _ = weld(geometry)
    resources, corners = _colours(shape, faces)
    # A mesh from far away stays around its own origin here: the build puts it on the plate in any case.
    vertices = formatted('<vertex x="%.9g" y="%.9g" z="%.9g"/>', positions)
    if corners is None:
        triangles = formatted('<triangle v1="%d" v2="%d" v3="%d"/>', faces)
    else:
        both = np.concatenate([faces, corners], axis=1)
        pattern = '<triangle v1="%d" v2="%d" v3="%d" pid="2" p1="%d" p2="%d" p3="%d"/>'
        triangles = formatted(pattern, both)
    transform = " ".join(f"{x:.9g}" for x in build_transform(positions.astype(np.float64), frame).reshape(-1))
    model = "".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            f'<model unit="millimeter" xml:lang="en-US" xmlns="{CORE}" xmlns:m="{MATERIAL}"><resources>',
            *resources,
            f'<object id="3" type="model" name={quoteattr(name)}><mesh><vertices>',
            *vertices,
            "</vertices><triangles>",
            *triangles,
            "</triangles></mesh></object></resources>",
            f'<build><item objectid="3" transform="{transform}"/></build></model>',
        ]
    )
    parts = {
        "[Content_Types].xml": CONTENT.encode(),
        "_rels/.rels": _relation("/3D/3dmodel.model", START_PART),
        "3D/3dmodel.model": model.encode("utf-8"),
    }
    if isinstance(shape, TexturedMesh):
        parts["3D/_rels/3dmodel.model.rels"] = _relation("/3D/Textures/texture.png", TEXTURE_PART)
        parts["3D/Textures/texture.png"] = encode(shape.base_color)
    return {f"{stem}.3mf": _zipped(parts)}


def build_transform(positions: F64, frame: FileFrame) -> F64:
    """(4, 3): 3MF's transform for row vectors: upright (+Y to +Z), in millimetres, on the plate if asked for."""
    height = -frame.scale * float(positions[:, 1].min()) if frame.on_plate else 0.0
    return np.concatenate([frame.scale * UPRIGHT.T, [[0.0, 0.0, height]]])


def _colours(shape: Mesh | TexturedMesh, faces: np.ndarray) -> tuple[list[str], np.ndarray | None]:
    """The resource with number 2, and which of its entries the corners of each face take."""
    if isinstance(shape, TexturedMesh):
        uv = shape.atlas.uv.astype(np.float64)
        points = [f'<m:tex2coord u="{u:.9g}" v="{1 - v:.9g}"/>' for u, v in uv.tolist()]
        texture = '<m:texture2d id="1" path="/3D/Textures/texture.png" contenttype="image/png" tilestyleu="clamp" '
        group = ['tilestylev="clamp"/><m:texture2dgroup id="2" texid="1">', *points, "</m:texture2dgroup>"]
        return [texture, *group], shape.atlas.faces
    if shape.colors is None:
        return [], None
    colours = formatted('<m:color color="#%02X%02X%02X"/>', shape.colors)
    return ['<m:colorgroup id="2">', *colours, "</m:colorgroup>"], faces


def _relation(target: str, kind: str) -> bytes:
    entry = f'<Relationship Target="{target}" Id="rel0" Type="{kind}"/>'
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Relationships xmlns="{RELATIONS}">{entry}</Relationships>'
    return text.encode()


def _zipped(parts: dict[str, bytes]) -> bytes:
    """A ZIP file with a fixed date, so that equal parts give equal bytes."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path, data in parts.items():
            entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same on every system
            entry.compress_type = zipfile.ZIP_STORED if path.endswith(".png") else zipfile.ZIP_DEFLATED
            archive.writestr(entry, data, compresslevel=6)
    return file.getvalue()
