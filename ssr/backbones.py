"""The two frozen networks: CLIP through open_clip, DINO through timm.

A backbone is a model (a library's name, or a JSON file) and weights: `random`, a pretrained tag, or
a local file. All three come out alike: float32, in evaluation mode, without gradients.
"""

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import open_clip
import timm
import torch
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from open_clip.transformer import ResidualAttentionBlock
from open_clip.transformer import VisionTransformer as ClipVision
from timm.models.vision_transformer import Attention, Block, VisionTransformer
from torch import nn

from ssr.errors import InputError
from ssr.patch_size import (
    check_patch_sizes,
    clip_patch_size,
    dino_patch_size,
    read_model_file,
)
from ssr.weights import ALLOWED, expand_embedding, fit, names_file, read_weights

RANDOM_WEIGHTS_SEED = 0
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


def choose_device(name: str) -> torch.device:
    """The device of a `--device` flag: auto takes CUDA where there is one.

    Raises:
        InputError: cuda is asked for and not there.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise InputError("--device cuda: torch finds no CUDA device; allowed here: auto, cpu")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def load_pair(
    settings: BackbonePair, patch: int, device: torch.device | str
) -> tuple[CLIP, VisionTransformer]:
    """Both backbones; an InputError refuses a pair that isn't on one grid of `patch` pixels."""
    check_patch_sizes(
        clip_patch_size(settings.clip.model), dino_patch_size(settings.dino.model), patch
    )
    clip, dino = load_clip(settings.clip, device), load_dino(settings.dino, device)
    check_patch_sizes(clip.visual.patch_size[0], dino.patch_embed.patch_size[0], patch)
    return clip, dino


def load_clip(settings: BackboneSettings, device: torch.device | str) -> CLIP:
    """CLIP with open_clip's vision transformer, ready for inference.

    `settings.model` is an open_clip name or a JSON file in open_clip's format. OpenAI's weights
    need QuickGELU: a tag chooses it by itself, a local file needs the `-quickgelu` model.

    Raises:
        InputError: unknown model or tag, weights missing or not fitting, or a vision tower that is
            no plain transformer with a class token.
    """
    config = _clip_config(settings.model)
    if _is_tag(settings):
        model = _checked_clip(_fetch_clip(settings), settings.model)
    else:
        model = _checked_clip(_seeded(lambda: CLIP(**config), settings.model), settings.model)
    if names_file(settings.weights):
        weights = read_weights(settings.weights, settings.sha256)
        fit(model, expand_embedding(weights, len(model.token_embedding.weight)), settings.weights)
    return _frozen(model, device)


def load_tokenizer(settings: BackboneSettings) -> SimpleTokenizer:
    """CLIP's byte-pair tokenizer at the model's context length: texts to (n, length) int64."""
    text = _clip_config(settings.model).get("text_cfg", {})
    return SimpleTokenizer(context_length=text.get("context_length", 77))


def load_dino(settings: BackboneSettings, device: torch.device | str) -> VisionTransformer:
    """A timm vision transformer without classifier that takes any patch grid.

    `settings.model` is a timm name or a JSON file in timm's format: `architecture`, and options in
    `model_args`. A tag is what timm writes behind the dot: `dino` of `vit_small_patch16_224.dino`.

    Raises:
        InputError: unknown model, option or tag, weights missing or not fitting, or an
            architecture other than the plain vision transformer.
    """
    name, options = _dino_config(settings.model)
    if _is_tag(settings):
        model = _checked_dino(_fetch_dino(name, options, settings), settings.model)
    else:
        fresh = _seeded(lambda: _create_dino(name, options), settings.model)
        model = _checked_dino(fresh, settings.model)
    if names_file(settings.weights):
        fit(model, read_weights(settings.weights, settings.sha256), settings.weights)
    return _frozen(model, device)


def _is_tag(settings: BackboneSettings) -> bool:
    file = names_file(settings.weights)
    if settings.sha256 and not file:
        raise InputError(f"sha256 is checked for local files only; weights: {settings.weights}")
    return not file and settings.weights != "random"


def _clip_config(model: str) -> dict[str, Any]:
    if model.endswith(".json"):
        return read_model_file(model)
    if model not in open_clip.list_models():
        raise _unknown("CLIP", model, open_clip.list_models(), "open_clip")
    return dict(open_clip.get_model_config(model))


def _dino_config(model: str) -> tuple[str, dict[str, Any]]:
    file = model.endswith(".json")
    content: dict[str, Any] = read_model_file(model) if file else {"architecture": model}
    if unknown := content.keys() - {"architecture", "model_args", "num_classes"}:
        raise InputError(
            f"DINO model {model}: unknown key {min(unknown)}; allowed: architecture, model_args"
        )
    name = str(content.get("architecture", ""))
    if not timm.is_model(name):
        raise _unknown("DINO", name, timm.list_models("*vit*"), "timm")
    return name, content.get("model_args", {})


def _create_dino(name: str, options: dict[str, Any], pretrained: bool = False) -> nn.Module:
    return timm.create_model(
        name, pretrained=pretrained, num_classes=0, dynamic_img_size=True, **options
    )


def _seeded(build: Callable[[], nn.Module], name: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(RANDOM_WEIGHTS_SEED)
        try:
            return build()
        except (TypeError, ValueError, AssertionError, KeyError) as error:
            raise InputError(f"model {name} can't be built: {error}") from error


def _fetch_clip(settings: BackboneSettings) -> nn.Module:
    tags = open_clip.list_pretrained_tags_by_model(settings.model)
    if settings.weights not in tags:
        raise _unknown_tag(settings, tags)
    quick = bool(open_clip.get_pretrained_cfg(settings.model, settings.weights).get("quick_gelu"))
    with _fetching(settings):
        return open_clip.create_model(
            settings.model, pretrained=settings.weights, force_quick_gelu=quick
        )


def _fetch_dino(name: str, options: dict[str, Any], settings: BackboneSettings) -> nn.Module:
    tags = [full.partition(".")[2] for full in timm.list_pretrained(f"{name}.*")]
    if settings.weights not in tags:
        raise _unknown_tag(settings, tags)
    with _fetching(settings):
        return _create_dino(f"{name}.{settings.weights}", options, pretrained=True)


@contextmanager
def _fetching(settings: BackboneSettings) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # network, hub and disk errors share no narrower base
        raise InputError(
            f"weights {settings.weights} of {settings.model} could not be fetched ({error}); "
            f"without a network, fetch the file elsewhere and name it in `weights`"
        ) from error


def _unknown(kind: str, name: str, known: list[str], library: str) -> InputError:
    near = ", ".join(difflib.get_close_matches(name, known)) or f"see {library}.list_models()"
    return InputError(
        f"{kind} model {name!r} is unknown; a name of {library} or a .json file: {near}"
    )


def _unknown_tag(settings: BackboneSettings, tags: list[str]) -> InputError:
    return InputError(
        f"weights {settings.weights!r} of {settings.model}: allowed are {ALLOWED}; "
        f"tags: {', '.join(tags) or 'none'}"
    )


def _checked_clip(model: nn.Module, name: str) -> CLIP:
    if not isinstance(model, CLIP) or not isinstance(model.visual, ClipVision):
        raise _unsupported("CLIP", name, "open_clip's own vision and text transformers")
    if model.visual.attn_pool is not None:
        raise _unsupported("CLIP", name, "a vision transformer without attention pooling")
    if any(
        type(block) is not ResidualAttentionBlock for block in model.visual.transformer.resblocks
    ):
        raise _unsupported("CLIP", name, "standard residual attention blocks")
    return model


def _checked_dino(model: nn.Module, name: str) -> VisionTransformer:
    if not isinstance(model, VisionTransformer) or model.cls_token is None:
        raise _unsupported("DINO", name, "timm's VisionTransformer with a class token")
    if any(type(block) is not Block or not _is_plain(block.attn) for block in model.blocks):
        raise _unsupported("DINO", name, "standard attention blocks")
    return model


def _is_plain(attention: object) -> bool:
    return type(attention) is Attention and attention.gate is None


def _unsupported(kind: str, name: str, wanted: str) -> InputError:
    return InputError(f"{kind} model {name}: attention maps need {wanted}")


def _frozen(model: Model, device: torch.device | str) -> Model:
    return model.requires_grad_(False).eval().to(device)
