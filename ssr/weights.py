"""Weights from local files: read without running code, checked, fitted to a model by name."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ssr.errors import InputError

FILE_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
ALLOWED = f"a local file ({', '.join(FILE_SUFFIXES)}), the tag of pretrained weights, or random"


def names_file(weights: str) -> bool:
    """Whether a `weights` setting means a local file (by its suffix or a folder in it)."""
    return weights.endswith(FILE_SUFFIXES) or "/" in weights


def read_weights(path: str | Path, sha256: str | None = None) -> dict[str, Tensor]:
    """Tensors of a safetensors file or a state dict, by name.

    A state dict may lie under `state_dict` and carry the prefix `module.`, as training code leaves
    it. Pickles are read by torch's restricted reader, which refuses anything but tensors.

    Raises:
        InputError: the file is missing, has another SHA-256, or can't be read.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"weights: no file {path} (looked in {Path.cwd()}); allowed: {ALLOWED}")
    if sha256 and (came := _digest(path)) != sha256:
        raise InputError(f"weights {path}: SHA-256 should be {sha256}, is {came}")
    try:
        safe = path.suffix == ".safetensors"
        content = load_file(path) if safe else torch.load(path, "cpu", weights_only=True)
    except (SafetensorError, OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile) as e:
        raise _unreadable(path, str(e).splitlines()[0]) from e
    except Exception as error:  # pickle's errors share no narrower base
        raise _unreadable(path, type(error).__name__) from error
    return _state_dict(path, content)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unreadable(path: Path, reason: str) -> InputError:
    return InputError(f"weights {path}: not a complete safetensors or state dict file ({reason})")


def _state_dict(path: Path, content: object) -> dict[str, Tensor]:
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise _unreadable(path, f"holds a {type(content).__name__}, not named tensors")
    if wrong := [name for name, value in content.items() if not isinstance(value, Tensor)]:
        raise _unreadable(path, f"{wrong[0]} is no tensor")
    return {str(name).removeprefix("module."): value for name, value in content.items()}


def expand_embedding(weights: dict[str, Tensor], rows: int) -> dict[str, Tensor]:
    """Give a compact token embedding its full (rows, W) shape, with zeros in the other rows.

    A compact embedding stores only the rows of the tokens that occur: `token_embedding.weight` of
    (M, W) and their int `token_embedding.ids` of (M,). Other weights are returned as they are.
    """
    weights = dict(weights)
    ids = weights.pop("token_embedding.ids", None)
    if ids is None:
        return weights
    compact = weights["token_embedding.weight"]
    if len(ids) != len(compact) or int(ids.max()) >= rows:
        raise InputError(
            f"token_embedding: {len(compact)} rows, {len(ids)} ids up to {int(ids.max())}; "
            f"wanted as many ids as rows, below {rows}"
        )
    full = compact.new_zeros(rows, compact.shape[1])
    full[ids.long()] = compact
    return weights | {"token_embedding.weight": full}


def fit(model: nn.Module, weights: Mapping[str, Tensor], source: str | Path) -> None:
    """Load `weights` into `model`; every tensor of the model must come, in its shape.

    Raises:
        InputError: names the first missing, unexpected and misshapen tensors.
    """
    wanted = model.state_dict()
    shared = wanted.keys() & weights.keys()
    misshapen = [n for n in wanted if n in shared and wanted[n].shape != weights[n].shape]
    shapes = [f"{n} wanted {_shape(wanted[n])} came {_shape(weights[n])}" for n in misshapen]
    findings = [
        _few("missing", [f"{n} {_shape(wanted[n])}" for n in wanted if n not in shared]),
        _few("unexpected", [f"{n} {_shape(weights[n])}" for n in weights if n not in shared]),
        _few("other shape", shapes),
    ]
    if message := "; ".join(filter(None, findings)):
        raise InputError(f"weights {source} don't fit the model: {message}")
    model.load_state_dict(dict(weights))


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _few(title: str, names: list[str], most: int = 3) -> str:
    if not names:
        return ""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{title}: {', '.join(names[:most])}{more}"
