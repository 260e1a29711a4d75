"""The two frozen networks: CLIP through open_clip, DINO through timm.

A backbone is a model (a library's name, or a JSON file) and weights: `random`, a pretrained tag, or
a local file. All three come out alike: float32, in evaluation mode, without gradients.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from ssr.backbones.libraries import (
    CLIP,
    Attention,
    AttentionRope,
    Eva,
    EvaAttention,
    PatchEmbed,
    SimpleTokenizer,
    VisionTransformer,
    eva,
    timm,
    vision_transformer,
)
from ssr.backbones.pretrained import Pretrained, cached, clip_tag, dino_tag
from ssr.backbones.weights import expand_embedding, fit, read_weights
from ssr.config.architectures import (
    clip_architecture,
    clip_config,
    dino_config,
    names_file,
    names_tag,
)
from ssr.data.images import CLIP_MEAN, CLIP_STD, IMAGENET_MEAN, IMAGENET_STD
from ssr.errors import InputError

RANDOM_WEIGHTS_SEED = 0
# What OpenAI's files hold beside the weights.
OPENAI_NUMBERS = frozenset({"input_resolution", "context_length", "vocab_size"})
Dino = VisionTransformer | Eva
Channels = tuple[float, ...]
Model = TypeVar("Model", bound=nn.Module)


class BackboneSettings(Protocol):
    """The settings of one backbone, as in the sections of `backbones`."""

    @property
    def model(self) -> str:
        """A library's name of the model, or the path of a JSON file."""

    @property
    def weights(self) -> str:
        """`random`, a pretrained tag, or the path of a file."""

    @property
    def sha256(self) -> str | None:
        """Of the weights file, or None."""


class BackbonePair(Protocol):
    """The settings of both backbones."""

    @property
    def clip(self) -> BackboneSettings:
        """Image and text encoder."""

    @property
    def dino(self) -> BackboneSettings:
        """Self-supervised image encoder."""


def load_pair(settings: BackbonePair, patch: int, device: torch.device | str) -> tuple[CLIP, Dino]:
    """Both backbones; an InputError refuses a CLIP whose patches don't have `patch` pixels."""
    if (own := clip_architecture(settings.clip.model).patch) != patch:
        raise InputError(f"images.patch: must be CLIP's patch {own}; came {patch}")
    return load_clip(settings.clip, device), load_dino(settings.dino, device)


def check_weights(settings: BackbonePair) -> list[str]:
    """Why local weight files can't be used, a line each; none where all can.

    A file must exist, have its SHA-256 and hold the tensors of its model by name and shape. No
    tensor's values are read but for the SHA-256, so this takes about a second.
    """
    findings = []
    for name, load in (("clip", load_clip), ("dino", load_dino)):
        backbone: BackboneSettings = getattr(settings, name)
        if names_file(backbone.weights):
            try:
                load(backbone, "meta")
            except InputError as error:
                findings.append(f"backbones.{name}: {error}")
    return findings


def load_clip(settings: BackboneSettings, device: torch.device | str) -> CLIP:
    """CLIP with open_clip's vision transformer, ready for inference.

    `settings.model` is an open_clip name or a JSON file in open_clip's format. OpenAI's weights
    need QuickGELU: a tag chooses it by itself, a local file needs the `-quickgelu` model. On the
    device `meta` the weights are compared with the model, and not read.

    Raises:
        InputError: unknown or unsupported model, unknown tag, weights missing or not fitting.
    """
    clip_architecture(settings.model)
    config, tag = described_clip(settings), _tag(settings)
    file = _weights_file(settings, tag)
    model = _seeded(lambda: CLIP(**config), settings.model, device)
    model.visual.image_mean = tag.mean if tag else CLIP_MEAN
    model.visual.image_std = tag.deviation if tag else CLIP_STD
    if file:
        weights = read_weights(file, settings.sha256)
        if not config["quick_gelu"] and weights.keys() & OPENAI_NUMBERS:
            raise InputError(
                f"weights {file} are OpenAI's: the model is {settings.model}-quickgelu"
            )
        fit(model, _in_names_of_clip(model, weights), file)
    return _frozen(model, device)


def described_clip(settings: BackboneSettings) -> dict[str, Any]:
    """open_clip's description of a CLIP, with the activation that its weights need.

    Raises:
        InputError: unknown model or tag.
    """
    config, tag = clip_config(settings.model), _tag(settings)
    config["quick_gelu"] = config.get("quick_gelu", False) or bool(tag and tag.quick_gelu)
    return config


def _tag(settings: BackboneSettings) -> Pretrained | None:
    return clip_tag(settings.model, settings.weights) if names_tag(settings.weights) else None


def load_tokenizer(settings: BackboneSettings) -> SimpleTokenizer:
    """CLIP's byte-pair tokenizer at the model's context length: texts to (n, length) int64."""
    text = clip_config(settings.model).get("text_cfg", {})
    return SimpleTokenizer(context_length=text.get("context_length", 77))


def load_dino(settings: BackboneSettings, device: torch.device | str) -> Dino:
    """A timm vision transformer without classifier that takes any patch grid.

    `settings.model` is a timm name or a JSON file in timm's format: `architecture`, and options in
    `model_args`. A tag is what timm writes behind the dot: `dino` of `vit_small_patch16_224.dino`.
    Files may have the names of timm or of the releases of DINO, DINOv2 and DINOv3. On the device
    `meta` the weights are compared with the model, and not read.

    Raises:
        InputError: unknown or unsupported model, unknown option or tag, weights missing or not
            fitting.
    """
    name, options = dino_config(settings.model)
    tag = dino_tag(name, settings.weights) if names_tag(settings.weights) else None
    file = _weights_file(settings, tag)
    full = f"{name}.{settings.weights}" if tag else name
    fresh = _seeded(lambda: _create_dino(full, options), settings.model, device)
    model = _checked_dino(fresh, settings.model)
    model.pretrained_cfg = {  # type: ignore[assignment]
        "mean": tag.mean if tag else IMAGENET_MEAN,
        "std": tag.deviation if tag else IMAGENET_STD,
    }
    if file:
        fit(model, _in_names_of_timm(model, read_weights(file, settings.sha256)), file)
    return _frozen(model, device)


def pixel_statistics(network: CLIP | Dino) -> tuple[Channels, Channels]:
    """Mean and deviation of the channels, red first, with which a network was trained.

    A tag knows its own; for local and random weights they are OpenAI's (CLIP) or ImageNet's.
    """
    if isinstance(network, CLIP):
        visual = network.visual
        return getattr(visual, "image_mean", CLIP_MEAN), getattr(visual, "image_std", CLIP_STD)
    config: Any = network.pretrained_cfg
    return config["mean"], config["std"]


def normalise_pixels(pixels: Tensor, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    """Pixels (B, 3, H, W) in 0..1 to a network's input range, on the device where they are."""
    centre, spread = (
        torch.tensor(part, device=pixels.device)[:, None, None] for part in (mean, deviation)
    )
    return (pixels - centre) / spread


def _weights_file(settings: BackboneSettings, tag: Pretrained | None) -> Path | None:
    """Where the weights lie; None for random ones."""
    if tag:
        return cached(tag)
    if settings.weights == "train":
        raise InputError(f"weights: train of {settings.model} is made by a rule of the pipeline")
    return Path(settings.weights) if names_file(settings.weights) else None


def _create_dino(name: str, options: dict[str, Any]) -> nn.Module:
    return timm.create_model(name, num_classes=0, dynamic_img_size=True, **options)


def _seeded(build: Callable[[], Model], name: str, device: torch.device | str) -> Model:
    place = "meta" if str(device) == "meta" else "cpu"
    with torch.random.fork_rng(devices=[]), torch.device(place):
        torch.manual_seed(RANDOM_WEIGHTS_SEED)
        try:
            return build()
        except (TypeError, ValueError, AssertionError, KeyError) as error:
            raise InputError(f"model {name} can't be built: {error}") from error


def _in_names_of_clip(model: CLIP, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without what OpenAI's files hold beside the weights, and with a full token embedding."""
    beside = [name for name in weights if name in OPENAI_NUMBERS or name.endswith("attn_mask")]
    kept = {name: value for name, value in weights.items() if name not in beside}
    if "logit_scale" in kept:
        kept["logit_scale"] = kept["logit_scale"].reshape(model.logit_scale.shape)
    return expand_embedding(kept, len(model.token_embedding.weight))


def _in_names_of_timm(model: Dino, weights: dict[str, Tensor]) -> Mapping[str, Tensor]:
    """Without classifiers, and in timm's names where a release has its own."""
    kept = {name: value for name, value in weights.items() if not name.startswith("head")}
    if kept.keys() == model.state_dict().keys():
        return kept
    library = eva if isinstance(model, Eva) else vision_transformer
    renamed: dict[str, Tensor] = library.checkpoint_filter_fn(dict(kept), model)
    # timm would resample other patches; weights of another architecture are an error here.
    patches = "patch_embed.proj.weight"
    return renamed | ({patches: kept[patches]} if patches in kept else {})


def _checked_dino(model: nn.Module, name: str) -> Dino:
    if not isinstance(model, VisionTransformer | Eva) or type(model.patch_embed) is not PatchEmbed:
        raise _unsupported(name, "timm's VisionTransformer or Eva on plain patches")
    if any(not _is_plain(getattr(block, "attn", None)) for block in model.blocks):
        raise _unsupported(name, "blocks with one standard attention")
    return model


def _is_plain(attention: object) -> bool:
    return type(attention) in (Attention, AttentionRope, EvaAttention)


def _unsupported(name: str, wanted: str) -> InputError:
    return InputError(f"DINO model {name}: attention maps need {wanted}")


def _frozen(model: Model, device: torch.device | str) -> Model:
    return model.requires_grad_(False).eval().to(device)
