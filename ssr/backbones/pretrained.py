"""Pretrained weights by tag: the file at the hub that a tag means, fetched into the hub's cache.

Only `fetch` uses the network. Programs look into the cache, so that a node without a network
answers at once.
"""

from pathlib import Path
from typing import NamedTuple

from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

from ssr.backbones.libraries import open_clip, timm
from ssr.config.architectures import ALLOWED
from ssr.errors import InputError

FETCH_COMMAND = "snakemake --cores 1 --force fetch_weights --configfile …"


class Pretrained(NamedTuple):
    """What a library knows of a tag."""

    name: str
    """Tag and model, for messages."""
    repository: str
    """At the hub."""
    files: tuple[str, ...]
    """The names that the file may have there; the first that exists is taken."""
    mean: tuple[float, ...]
    """Of the channels, red first, which the network was trained with."""
    deviation: tuple[float, ...]
    """Likewise."""
    quick_gelu: bool = False
    """Whether a CLIP was trained with that activation."""


def clip_tag(model: str, tag: str) -> Pretrained:
    """A tag of open_clip.

    Raises:
        InputError: open_clip has no such tag, or not at the hub.
    """
    known = open_clip.list_pretrained_tags_by_model(model)
    config = open_clip.get_pretrained_cfg(model, tag) if tag in known else {}
    repository, _, file = config.get("hf_hub", "").rpartition("/")
    if not repository or file:
        raise _unknown(model, tag, known)
    files = (open_clip.constants.HF_SAFE_WEIGHTS_NAME, open_clip.constants.HF_WEIGHTS_NAME)
    quick = bool(config.get("quick_gelu"))
    mean, deviation = config["mean"], config["std"]
    return Pretrained(f"{tag} of {model}", repository, files, mean, deviation, quick)


def dino_tag(model: str, tag: str) -> Pretrained:
    """A tag of timm: what it writes behind the dot, `dino` of `vit_small_patch16_224.dino`.

    Raises:
        InputError: timm has no such tag, or not at the hub.
    """
    known = [name.partition(".")[2] for name in timm.list_pretrained(f"{model}.*")]
    config = timm.get_pretrained_cfg(f"{model}.{tag}") if tag in known else None
    if config is None or not config.hf_hub_id:
        raise _unknown(model, tag, known)
    files = (config.hf_hub_filename or "model.safetensors", "pytorch_model.bin")
    return Pretrained(f"{tag} of {model}", config.hf_hub_id, files, config.mean, config.std)


def cached(weights: Pretrained) -> Path:
    """The file of a tag in the hub's cache, without asking the network.

    Raises:
        InputError: not there; names the file, where it was looked for and how to get it.
    """
    if path := _in_cache(weights):
        return path
    raise InputError(
        f"weights {weights.name}: {' or '.join(weights.files)} of {weights.repository} is not in "
        f"the cache {HF_HUB_CACHE}; where there is a network, run: {FETCH_COMMAND}"
    )


def fetch(weights: Pretrained) -> Path:
    """The file of a tag in the hub's cache, downloaded with a progress bar if it is not there.

    Raises:
        InputError: it can't be fetched; says why.
    """
    try:
        return _in_cache(weights) or _download(weights)
    except Exception as error:  # network, hub and disk errors share no narrower base
        raise InputError(
            f"weights {weights.name} could not be fetched from {weights.repository} "
            f"({_first_cause(error)}); "
            f"the cache {HF_HUB_CACHE} may be copied from elsewhere, or a file named in `weights`"
        ) from error


def _first_cause(error: BaseException) -> str:
    while error.__cause__:
        error = error.__cause__
    return next(iter(str(error).strip().splitlines()), repr(error))


def _in_cache(weights: Pretrained) -> Path | None:
    paths = (try_to_load_from_cache(weights.repository, name) for name in weights.files)
    return next((Path(path) for path in paths if isinstance(path, str)), None)


def _download(weights: Pretrained) -> Path:
    for name in weights.files[:-1]:
        try:
            return Path(hf_hub_download(weights.repository, name))
        except LocalEntryNotFoundError:  # no network: the next name would wait as long for it
            raise
        except EntryNotFoundError:
            continue
    return Path(hf_hub_download(weights.repository, weights.files[-1]))


def _unknown(model: str, tag: str, known: list[str]) -> InputError:
    tags = ", ".join(known) or "none"
    return InputError(f"weights {tag!r} of {model}: allowed are {ALLOWED}; tags: {tags}")
