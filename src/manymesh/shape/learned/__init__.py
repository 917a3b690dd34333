"""A small network of our own that models one object from one cutout, and the decoder of its prediction.

    contract.py        frames, units, inputs and outputs of the network; shared with ``training/``
    preprocess.py      cutout -> the square picture that the network takes
    session.py         the packaged ONNX file, open on the CPU
    predict.py         the network's prediction, averaged with the one for the mirrored picture
    pose.py            pose output -> elevation, azimuth, field of view
    depth_refine.py    depth layers fitted to the predicted normals
    field.py           occupancy and depth layers -> one occupancy field over the crop's frustum
    edge_profile.py    ... how its thickness runs out at the silhouette
    thin_parts.py      ... legs and posts drawn as tubes
    connect_parts.py   ... floating parts connected to the body
    meshing.py         field -> mesh in the camera frame, with colours for the back
    stage.py           all of these in order, and the result in the canonical frame

The decoder is everything after ``predict.py``. Its constants were set by hand while watching the scores of the 42
catalogue models that are kept for validation (``python -m training.evaluate``). No sweep of single constants is on
record. ``benchmarks/learned_decode.py`` (exact shapes, a perfect network) and ``benchmarks/shape_quality.py`` take
``--set MODULE.NAME=VALUE`` to try others.
"""
