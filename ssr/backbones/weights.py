"""Weights from files: read without running code, checked, fitted to a model by name."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ssr.artefacts.archives import refuse_compressed
from ssr.artefacts.seals import verify
from ssr.backbones.torchscript import is_torchscript, read_torchscript
from ssr.config.architectures import ALLOWED
from ssr.errors import InputError
from ssr.running.digests import digest


def read_weights(path: str | Path, sha256: str | None = None) -> dict[str, Tensor]:
    """Tensors of a safetensors file, a state dict or a TorchScript archive, by name.

    A state dict may lie under `state_dict` or `model` and carry the prefix `module.`, as training
    code leaves it. Pickles are read by torch's restricted reader, which refuses anything but
    tensors. Files are mapped, not read, where their format allows.

    Raises:
        InputError: the file is missing, has another SHA-256, or can't be read.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"weights: no file {path} (looked in {Path.cwd()}); allowed: {ALLOWED}")
    if sha256 and (came := digest(path)) != sha256:
        raise InputError(f"weights {path}: SHA-256 should be {sha256}, is {came}")
    verify(path)
    try:
        content = _read(path)
    except (SafetensorError, OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile) as e:
        raise _unreadable(path, str(e).splitlines()[0]) from e
    except Exception as error:  # pickle's errors share no narrower base
        raise _unreadable(path, type(error).__name__) from error
    return _state_dict(path, content)


def _read(path: Path) -> object:
    if path.suffix == ".safetensors":
        return load_file(path)
    if is_torchscript(path):
        return read_torchscript(path)
    is_zip = zipfile.is_zipfile(path)
    if is_zip:
        with zipfile.ZipFile(path) as archive:
            refuse_compressed(archive, archive.namelist())
    return torch.load(path, "cpu", weights_only=True, mmap=is_zip)


def _unreadable(path: Path, reason: str) -> InputError:
    return InputError(f"weights {path}: not a complete safetensors or state dict file ({reason})")


def _state_dict(path: Path, content: object) -> dict[str, Tensor]:
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
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

    Those of a model on the device `meta` are compared only.

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
    if not any(value.is_meta for value in wanted.values()):
        model.load_state_dict(dict(weights))


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _few(title: str, names: list[str], most: int = 3) -> str:
    if not names:
        return ""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{title}: {', '.join(names[:most])}{more}"
