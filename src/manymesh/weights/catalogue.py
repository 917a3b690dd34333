"""Every model that the engines can use, and what each engine needs. ``families.py`` has what families share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from manymesh.errors import UsageError
from manymesh.weights.entries import File, Graph, Model
from manymesh.weights.families import (
    APACHE,
    HUNYUAN,
    MB,
    MINI,
    MIT,
    ONNX_MATTE_CHECK,
    SD21_BASE,
    SDXL_BASE,
    SDXL_VAE,
    SHAPE_CHECK,
    TRIPOSG,
    TRIPOSR,
    TWO,
    VIEWS,
    adapter,
    birefnet,
    delight,
    dino,
    owl,
    paint,
    qwen,
    shape,
)

MODELS: tuple[Model, ...] = (
    qwen("2b", 4_270 * MB),
    qwen("4b", 8_890 * MB, "ebb281ec70b05090aa6165b016eac8ec08e71b17"),
    qwen("8b", 17_550 * MB),
    dino(
        *("grounding-dino-tiny", "IDEA-Research/grounding-dino-tiny", "finds objects by noun, small and fast"),
        *(689_359_096, "a2bb814dd30d776dcf7e30523b00659f4f141c71"),
        sha="1a2412ef99bd74bcd3c2a246fa1e48581f8889a1300c9051974741314fc042f3",
    ),
    dino(
        "mm-grounding-dino-tiny",
        "openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_v3det",
        "as grounding-dino-tiny, more accurate on rare objects",
        692_015_412,
    ),
    owl("owlvit", "Xenova/owlvit-base-patch32", 157 * MB, "OWL-ViT base/32: finds objects by name on any CPU"),
    owl("owlv2", "Xenova/owlv2-base-patch16", 165 * MB, "OWLv2 base/16: as owlvit, sharper and slower"),
    birefnet(
        *("general", "BiRefNet", 444_473_596, "cuts objects out (Swin-L, 1024 px)", 444_473_596),
        sha="9ab37426bf4de0567af6b5d21b16151357149139362e6e8992021b8ce356a154",
    ),
    birefnet(
        *("lite", "BiRefNet_lite", 177_634_392, "cuts objects out (Swin-T, 1024 px)", 177_634_392),
        *("aa62cd87eafb9cc43056d08ef3615a14628b831d",),
        sha="4417d89795250e698c3cb0ae8df15743810065f646f48a694fdfa7ca052d0815",
    ),
    birefnet("lite-2k", "BiRefNet_lite-2K", 178 * MB, "cuts objects out (Swin-T, 2560 x 1440 px)"),
    birefnet("hr", "BiRefNet_HR", 444 * MB, "cuts objects out (Swin-L, 2048 px)"),
    birefnet(
        *("hr-matting", "BiRefNet_HR-matting", 444 * MB, "cuts out hair and gauze (Swin-L, 2048 px)", None),
        *("5d6b6f8adcb5b417c871b1d84ceaae9871355b7f",),
        sha="a5a4de698739ea5e0e8bbab28e1b293dde95092b87a442d566cbc585c53cef55",
    ),
    birefnet("matting", "BiRefNet-matting", 885 * MB, "cuts out hair and gauze (Swin-L, 1024 px)"),
    birefnet("portrait", "BiRefNet-portrait", 884_878_856, "cuts people out (Swin-L, 1024 px)", 884_878_856),
    birefnet("512", "BiRefNet_512x512", 444 * MB, "cuts objects out (Swin-L, 512 px)"),
    # Its checksum is that of the first download. The names of its outputs are numbers; the first is the finest.
    Model(
        *("isnet", "matte", "IS-Net general use: cuts objects out on any CPU (1024 px)", "", None),
        (
            File(
                "isnet-general-use.onnx",
                address="https://github.com/danielgatis/rembg/releases/download/v0.0.0/isnet-general-use.onnx",
            ),
        ),
        179 * MB,
        APACHE,
        Graph({"picture": ""}, {"alpha": ""}),
        ONNX_MATTE_CHECK,
    ),
    Model(
        *("birefnet-lite-onnx", "matte", "BiRefNet-lite without torch: finer edges than isnet, slower"),
        *("onnx-community/BiRefNet_lite-ONNX", None),
        (File("onnx/model.onnx", alternatives=("model.onnx", "BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx")),),
        224 * MB,
        MIT,
        Graph({"picture": ""}, {"alpha": "output_image"}),
        ONNX_MATTE_CHECK,
    ),
    shape(
        *(
            "hunyuan3d-2mini",
            MINI,
            "hunyuan3d-dit-v2-mini",
            3_819_958_234,
            "Hunyuan3D-2mini: shapes, 50 steps",
        ),
        sha="3cc66f3bea33e4062b7dbc875ffe1d70c4888914aec3e91b60f94e9bd01b522b",
        yaml=File(
            "hunyuan3d-dit-v2-mini/config.yaml",
            bytes=1628,
            sha256="cabcba7f6115752c8fe5b370e12bf714936f70377a8a80f151872f76c2d64609",
        ),
    ),
    shape(
        *(
            "hunyuan3d-2mini-fast",
            MINI,
            "hunyuan3d-dit-v2-mini-fast",
            3_822_584_202,
            "2mini, guidance distilled",
        ),
        sha="2bc48c8168874bb3f3d9bb6699af40517e498d2da3400c9c54dc0f5779875ab3",
    ),
    shape(
        *("hunyuan3d-2mini-turbo", MINI, "hunyuan3d-dit-v2-mini-turbo", 3_822_584_202, "2mini, 5 steps"),
        sha="bdbcef30dd0149a281e17d5b5b1fdad1122c904e098a42f3100e04e03c247bc4",
    ),
    # Its checksum is not known, and its size only as our own network's with the same tensors.
    Model(
        *("hunyuan3d-2mini-vae", "shape", "2mini's decoder alone", *MINI),
        (File("hunyuan3d-vae-v2-mini/config.yaml"), File("hunyuan3d-vae-v2-mini/model.fp16.safetensors")),
        *(428_455_666, HUNYUAN),
        self_check=SHAPE_CHECK,
    ),
    shape(
        *(
            "hunyuan3d-2mini-vae-turbo",
            MINI,
            "hunyuan3d-vae-v2-mini-turbo",
            407_410_402,
            "2mini's fast decoder",
        ),
        sha="5dcaca67a8da9e7079fb7b55714a572d0651ac95983bb43099913feaf6738f94",
    ),
    shape(
        *("hunyuan3d-2", TWO, "hunyuan3d-dit-v2-0", 4_928_151_562, "Hunyuan3D-2: shapes, 50 steps, larger"),
        sha="360bc281fc956d4acac0c3d36d5ec0ebf8cdddbf4b8892e894d12419388d479b",
    ),
    shape(
        *("hunyuan3d-2-fast", TWO, "hunyuan3d-dit-v2-0-fast", 4_930_777_530, "2, guidance distilled"),
        sha="fcf91f29922270b4cce5f266099b306c6e140f2a2382a81fc5e47752d4d41e85",
    ),
    shape(
        *("hunyuan3d-2-turbo", TWO, "hunyuan3d-dit-v2-0-turbo", 4_930_777_530, "2, 5 steps"),
        sha="5ee5a81e4df08a1c65b79910bf5b145a90376e526794f4607a4d5d068d62f269",
        yaml=File(
            "hunyuan3d-dit-v2-0-turbo/config.yaml",
            bytes=1663,
            sha256="4712421fe32d57c678be3be2b608acdb8871985f0b81646a883d136abc63feb7",
        ),
    ),
    # Its size and checksum are not known. It is built as 2mini's, which has this many bytes.
    Model(
        *("hunyuan3d-2-vae-turbo", "shape", "fast decoder of 2 and 2mv", *TWO),
        (File("hunyuan3d-vae-v2-0-turbo/config.yaml"), File("hunyuan3d-vae-v2-0-turbo/model.fp16.safetensors")),
        *(407_410_402, HUNYUAN),
        self_check=SHAPE_CHECK,
    ),
    shape(
        *(
            "hunyuan3d-2mv",
            VIEWS,
            "hunyuan3d-dit-v2-mv",
            4_928_151_562,
            "Hunyuan3D-2mv: shapes from 1 to 4 views",
        ),
        sha="d36f5881bcdc56726b73e517cd444c13c60732431622da7268145355c8d38e9c",
        yaml=File(
            "hunyuan3d-dit-v2-mv/config.yaml",
            bytes=1608,
            sha256="315fd5bf601d1d103130b9fda202f1bd28eda495e68ed1621bc823d5519c5e5b",
        ),
    ),
    shape(
        *("hunyuan3d-2mv-fast", VIEWS, "hunyuan3d-dit-v2-mv-fast", 4_930_777_530, "2mv, guidance distilled"),
        sha="dcd6e2716ff13f2de1e4480bcfe779f330f6494af6f1bedbd4f1e503f198e785",
    ),
    shape(
        *("hunyuan3d-2mv-turbo", VIEWS, "hunyuan3d-dit-v2-mv-turbo", 4_930_777_530, "2mv, 5 steps"),
        sha="172d7a989b99f66af760da0080d8c6f6350c72609536cf0c55b87a4afa574e45",
    ),
    TRIPOSR,
    TRIPOSG,
    delight(),
    paint(
        *("hunyuan3d-paint", "hunyuan3d-paint-v2-0"),
        # Its names, shapes and size are this painter's. The .bin beside it is a pickle of about twice the size.
        File(
            "hunyuan3d-paint-v2-0/unet/diffusion_pytorch_model.safetensors",
            bytes=3_662_636_472,
            sha256="1c5ce434ba976b30bbb51a080917ecd39f8d8761691887b5df3be765ef4bd9e9",
            alternatives=("hunyuan3d-paint-v2-0/unet/diffusion_pytorch_model.bin",),
        ),
        File(
            "hunyuan3d-paint-v2-0/vae/diffusion_pytorch_model.safetensors",
            bytes=167_335_310,
            sha256="abcec86e499e1ce9f05d1630725d386dc533b61fe0947ab034f07f89042e7a61",
            alternatives=("hunyuan3d-paint-v2-0/vae/diffusion_pytorch_model.bin",),
        ),
        *(3_829_971_782, "Hunyuan3D-2 Paint: six views of a mesh, with guidance"),
    ),
    paint(
        *("hunyuan3d-paint-turbo", "hunyuan3d-paint-v2-0-turbo"),
        # The .safetensors beside this one is another model; only the .bin is the painter.
        File("hunyuan3d-paint-v2-0-turbo/unet/diffusion_pytorch_model.bin"),
        File(
            "hunyuan3d-paint-v2-0-turbo/vae/diffusion_pytorch_model.bin",
            sha256="1b4889b6b1d4ce7ae320a02dedaeff1780ad77d415ea0d744b476155c6377ddc",
        ),
        *(7_700 * MB, "Hunyuan3D-2 Paint in a few steps, without guidance"),
    ),
    adapter(
        *("mv-adapter-sd21", "mvadapter_ig2mv_sd21.safetensors", 708_310_064),
        sha="7940d6197be614fc6a3483ece1ed37cac850f94375d127ada6ae6464ce9252c3",
        summary="MV-Adapter: six views of a mesh, for sd21-base",
    ),
    SD21_BASE,
    adapter(
        *("mv-adapter-sdxl", "mvadapter_ig2mv_sdxl.safetensors", 3_602_537_816),
        sha="e89a40d81c3977d946183c419690d62bd2d62c6b6683c683e2981776e2e17be7",
        summary="MV-Adapter: six views of a mesh, for sdxl-base",
    ),
    SDXL_BASE,
    SDXL_VAE,
)


ENGINES: Mapping[str, tuple[str, ...]] = {
    "small": ("owlvit", "isnet", "triposr"),
    "open": ("qwen3-vl-2b", "birefnet-general", "triposg", "mv-adapter-sd21", "sd21-base"),
    "hunyuan": ("qwen3-vl-2b", "birefnet-general", "hunyuan3d-2mini", "hunyuan3d-paint", "hunyuan3d-delight"),
}
"""All that an engine needs with its default settings, by the engine's name."""

# Names that people type, from settings and from everyday use.
_ALSO_CALLED: Mapping[str, str] = {
    "dino": "grounding-dino-tiny",
    "grounding-dino": "grounding-dino-tiny",
    "dino-mm": "mm-grounding-dino-tiny",
    "owl": "owlvit",
    "owl-vit": "owlvit",
    "qwen": "qwen3-vl-2b",
    "qwen3-vl": "qwen3-vl-2b",
    "birefnet": "birefnet-general",
    "general": "birefnet-general",
    "is-net": "isnet",
    "paint": "hunyuan3d-paint",
    "delight": "hunyuan3d-delight",
    "hunyuan3d": "hunyuan3d-2mini",
}


def model(name: str) -> Model:
    """The model called ``name``: its id, a setting's name for it, or its repository.

    Raises ``UsageError`` for an unknown one, with the nearest names.
    """
    key = name.strip().lower()
    key = _ALSO_CALLED.get(key, key)
    for known in MODELS:
        if key in (known.id, known.id.removeprefix("hunyuan3d-")):
            return known
    of_repository = [known for known in MODELS if known.repo and known.repo.lower() == key]
    if len(of_repository) == 1:
        return of_repository[0]
    if key in ENGINES:
        raise UsageError(f"'{name}' is an engine, not a model", f"Its models: {', '.join(ENGINES[key])}")
    ids = [known.id for known in MODELS]
    near = get_close_matches(key, [*ids, *_ALSO_CALLED, *ENGINES], n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known are: {', '.join(ids)}"
    raise UsageError(f"there is no model '{name}'", hint)


def models_of(names: Sequence[str]) -> list[Model]:
    """The models of several names, where an engine's name stands for all that it needs; each once, in order."""
    found = [model(one) for name in names for one in ENGINES.get(name.strip().lower(), (name,))]
    return list({m.id: m for m in found}.values())
