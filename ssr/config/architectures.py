"""What a backbone's settings name, told from JSON files and the model libraries' own sources.

Imports neither torch nor a model library, so that what can't work is refused in milliseconds.
"""

import ast
import difflib
import json
import re
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from ssr.errors import InputError

FILE_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
ALLOWED = f"random, train, a tag of pretrained weights, a local file ({', '.join(FILE_SUFFIXES)})"
# Modules of timm whose transformers keep one token per patch and one attention per block.
PLAIN_TRANSFORMERS = ("vision_transformer", "eva")
# Options of open_clip's image tower under which a projected patch is no longer what a text is
# compared with, or under which a block is not the standard one.
UNSUPPORTED_VISION = (
    *("attentional_pool", "final_ln_after_pool", "block_type", "qk_norm", "scaled_cosine_attn"),
    *("scale_heads", "scale_attn_inner", "scale_attn", "scale_fc"),
)
# Options of timm.create_model that make it fetch or read weights by itself.
NAMES_OF_WEIGHTS = frozenset(
    ("pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir")
)


class Architecture(NamedTuple):
    """What the pipeline needs to know of a network before it is built."""

    patch: int
    """Side of a patch in pixels."""
    depth: int
    """Transformer blocks."""


def names_file(weights: str) -> bool:
    """Whether a `weights` setting means a local file (by its suffix or a folder in it)."""
    return weights.endswith(FILE_SUFFIXES) or "/" in weights


def names_tag(weights: str) -> bool:
    """Whether a `weights` setting means pretrained weights that a library fetches."""
    return weights not in ("random", "train") and not names_file(weights)


def read_model_file(path: str | Path) -> dict[str, Any]:
    """A model described by a JSON file.

    Raises:
        InputError: the file is missing or holds no JSON object.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"model: no file {path} (looked in {Path.cwd()})")
    try:
        content = json.loads(path.read_text())
    except (ValueError, RecursionError) as error:
        raise InputError(f"model {path}: no valid JSON ({error})") from error
    if not isinstance(content, dict):
        raise InputError(f"model {path}: wanted a JSON object, came {type(content).__name__}")
    return content


def clip_config(model: str) -> dict[str, Any]:
    """open_clip's description of a CLIP: of its name, or the content of a JSON file.

    Raises:
        InputError: open_clip has no model of this name (near ones are named), or no such file.
    """
    if model.endswith(".json"):
        return read_model_file(model)
    folder = _library("open_clip") / "model_configs"
    path = folder / f"{model}.json"
    if not path.is_file() or path.parent != folder:
        raise _unknown("CLIP", model, [file.stem for file in folder.glob("*.json")], "open_clip")
    return read_model_file(path)


def clip_architecture(model: str) -> Architecture:
    """Patch and depth of CLIP's image tower, from an open_clip name or JSON file.

    Raises:
        InputError: unknown, or a CLIP whose class activation maps can't be made; says why.
    """
    config = clip_config(model)
    vision, text = config.get("vision_cfg", {}), config.get("text_cfg", {})
    if reason := _unsupported_clip(config, vision, text):
        raise InputError(f"CLIP model {model} can't be used: {reason}")
    return Architecture(_square(vision.get("patch_size", 16), model), vision.get("layers", 12))


def _unsupported_clip(
    config: dict[str, Any], vision: dict[str, Any], text: dict[str, Any]
) -> str | None:
    """Why no class activation maps can be made with a CLIP, or None."""
    timm = vision.get("timm_model_name")
    if timm and "siglip" in timm:
        return (
            "SigLIP pools its patches by an attention and an MLP, so a patch alone has no place "
            "among the texts, and its tokenizer needs another package; see docs/backbones.md"
        )
    if timm:
        return f"patches need open_clip's own vision transformer, its image tower is timm's {timm}"
    if isinstance(vision.get("layers"), list):
        return "a ResNet has no patch tokens and no attention between them"
    if "multimodal_cfg" in config:
        return "CoCa compares texts with an attention pool, not with patches"
    if "hf_model_name" in text or "hf_tokenizer_name" in text or config.get("custom_text"):
        return "its text tower or tokenizer comes from the package transformers"
    if wrong := [name for name in UNSUPPORTED_VISION if vision.get(name)]:
        return f"vision_cfg.{wrong[0]} is not supported; wanted a plain vision transformer"
    return None


def dino_config(model: str) -> tuple[str, dict[str, Any]]:
    """timm's name of an architecture and the options it is built with.

    `model` is a timm name or a JSON file in timm's format: `architecture`, and `model_args`.

    Raises:
        InputError: timm has no such architecture, another kind than a plain vision transformer, or
            an unknown key in the file.
    """
    file = model.endswith(".json")
    content: dict[str, Any] = read_model_file(model) if file else {"architecture": model}
    if unknown := content.keys() - {"architecture", "model_args", "num_classes"}:
        raise InputError(
            f"DINO model {model}: unknown key {min(unknown)}; allowed: architecture, model_args"
        )
    name, options = str(content.get("architecture", "")), content.get("model_args", {})
    _timm_module(name)
    if not isinstance(options, dict) or (named := options.keys() & NAMES_OF_WEIGHTS):
        came = options if not isinstance(options, dict) else min(named)
        raise InputError(
            f"DINO model {model}: model_args are options of an architecture, came {came}; weights "
            "are named by backbones.dino.weights"
        )
    return name, options


def dino_architecture(model: str) -> Architecture:
    """Patch and depth of a timm vision transformer, from its name or JSON file.

    Raises:
        InputError: as `dino_config`.
    """
    name, options = dino_config(model)
    source = _timm_function(name)
    own = {"patch_size": 16, "depth": 12}
    for option in own:
        if found := re.search(rf"\b{option}=(\d+)", source):
            own[option] = int(found[1])
    own |= {option: options[option] for option in own if option in options}
    return Architecture(_square(own["patch_size"], model), own["depth"])


def _timm_module(name: str) -> str:
    """The module of `PLAIN_TRANSFORMERS` that defines an architecture."""
    if module := next((m for m in PLAIN_TRANSFORMERS if name in _timm_names(m)), None):
        if re.search(r"\b(block_fn|attn_layer)=", _timm_function(name)):
            raise InputError(
                f"DINO model {name} can't be used: its blocks are not the standard ones"
            )
        return module
    known = [plain for module in PLAIN_TRANSFORMERS for plain in _timm_names(module)]
    base, _, tag = name.partition(".")
    if tag and base in known:
        raise InputError(f"DINO model {name}: write model: {base}, weights: {tag}")
    others = _library("timm").joinpath("models").glob("*.py")
    if module := next((path.stem for path in others if name in _timm_names(path.stem)), None):
        raise InputError(
            f"DINO model {name} can't be used: attention maps need a plain vision transformer, "
            f"one of timm's {' or '.join(PLAIN_TRANSFORMERS)}; this is one of its {module}"
        )
    raise _unknown("DINO", name, known, "timm")


@cache
def _timm_function(name: str) -> str:
    """The source of the function that builds an architecture."""
    for module in PLAIN_TRANSFORMERS:
        if name in _timm_names(module):
            _, _, behind = _timm_source(module).partition(f"@register_model\ndef {name}(")
            return behind.partition("@register_model")[0]
    return ""


@cache
def _timm_names(module: str) -> frozenset[str]:
    return frozenset(re.findall(r"^@register_model\ndef (\w+)\(", _timm_source(module), re.M))


@cache
def _timm_source(module: str) -> str:
    return _library("timm").joinpath("models", f"{module}.py").read_text()


def check_tag(kind: str, model: str, tag: str) -> None:
    """Refuse a tag that the library doesn't list for a model; `kind` is clip or dino.

    timm makes some lists while it runs; where its source has none, fetch_weights has the last word.

    Raises:
        InputError: names the tags there are.
    """
    name = dino_config(model)[0] if kind == "dino" else model
    known = _clip_tags().get(name, ()) if kind == "clip" else _dino_tags(name)
    if tag not in known and (known or kind == "clip"):
        near = difflib.get_close_matches(tag, known) or known
        raise InputError(
            f"weights {tag!r} of {model}: allowed are {ALLOWED}; tags: {', '.join(near) or 'none'}"
        )


@cache
def _dino_tags(name: str) -> tuple[str, ...]:
    """Tags of a timm architecture: the default configurations are keyed `architecture.tag`."""
    found = re.findall(rf"['\"]{name}\.([\w.-]+)['\"]\s*:", _timm_source(_timm_module(name)))
    return tuple(sorted(set(found)))


@cache
def _clip_tags() -> dict[str, tuple[str, ...]]:
    """Tags by model, from the tables in open_clip/pretrained.py.

    As there, a `-quickgelu` model has the tags that were trained with that activation.
    """
    groups: dict[str, dict[str, ast.expr]] = {}
    models: dict[str, dict[str, ast.expr]] = {}
    for node in ast.parse((_library("open_clip") / "pretrained.py").read_text()).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                groups[name] = _keywords(call)
            case ast.Assign(targets=[ast.Name(id="_PRETRAINED")], value=ast.Dict() as table):
                for key, value in zip(table.keys, table.values, strict=True):
                    named = groups[value.id] if isinstance(value, ast.Name) else _keywords(value)
                    models[ast.literal_eval(key or value)] = named
    quick = {f"{name}-quickgelu": _quick(tags) for name, tags in models.items()}
    return {name: tuple(tags) for name, tags in (quick | models).items()}


def _keywords(call: ast.expr) -> dict[str, ast.expr]:
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return {keyword.arg: keyword.value for keyword in keywords if keyword.arg}


def _quick(tags: dict[str, ast.expr]) -> dict[str, ast.expr]:
    return {tag: call for tag, call in tags.items() if "quick_gelu" in _keywords(call)}


def _library(name: str) -> Path:
    """The folder of an installed package, which is not imported."""
    specification = find_spec(name)
    if not specification or not specification.submodule_search_locations:
        raise InputError(f"the package {name} is not installed")
    return Path(specification.submodule_search_locations[0])


def _square(size: Any, model: str) -> int:
    sides = set(size) if isinstance(size, list) else {size}
    side = sides.pop() if len(sides) == 1 else None
    if not isinstance(side, int):
        raise InputError(f"model {model}: wanted square patches, came {size}")
    return side


def _unknown(kind: str, name: str, known: Iterable[str], library: str) -> InputError:
    near = ", ".join(difflib.get_close_matches(name, known)) or f"see {library}.list_models()"
    return InputError(
        f"{kind} model {name!r} is unknown; a name of {library} or a .json file: {near}"
    )
