"""Format `voc`: a PASCAL VOC folder, as it is unpacked.

Images are JPEGImages/*.jpg, splits the lists in ImageSets/Segmentation/*.txt. Labels come from
`labels_file` (see ssr.data.label_files), or else from Annotations/*.xml.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from xml.etree import ElementTree

from ssr.config import Data
from ssr.data.findings import Findings
from ssr.data.label_files import read_label_file
from ssr.data.source import Source
from ssr.errors import InputError


def list_ids(settings: Data) -> dict[str, list[str]]:
    """Ids of each split in the order of its list; nothing is checked yet.

    Raises:
        InputError: a list is missing.
    """
    splits = settings.splits.model_dump()
    return {split: _list(settings, name) if name else [] for split, name in splits.items()}


def read_sources(settings: Data, ids: Collection[str], findings: Findings) -> dict[str, Source]:
    """Image file and label names of each of `ids`; the test split needs no labels.

    Raises:
        InputError: the labels file is missing or of another form.
    """
    if settings.labels_file is None:
        folder = Path(settings.root) / "Annotations"
        test = set(list_ids(settings)["test"])
        labels = {
            image_id: _annotated(folder / f"{image_id}.xml", findings)
            for image_id in ids
            if image_id not in test
        }
    else:
        labels = read_label_file(Path(settings.root) / settings.labels_file, settings.classes)
    return {
        image_id: Source(f"JPEGImages/{image_id}.jpg", labels.get(image_id, ())) for image_id in ids
    }


def list_path(settings: Data, name: str) -> Path:
    """The file of a list."""
    return Path(settings.root) / "ImageSets" / "Segmentation" / f"{name}.txt"


def _list(settings: Data, name: str) -> list[str]:
    path = list_path(settings, name)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lists = ", ".join(sorted(other.stem for other in path.parent.glob("*.txt"))) or "none"
        raise InputError(f"{path}: no such list; {path.parent} has {lists}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not a text in UTF-8 ({error})") from error
    return [line.strip() for line in lines if line.strip()]


def _annotated(path: Path, findings: Findings) -> tuple[str, ...]:
    try:
        root = ElementTree.parse(path).getroot()
    except FileNotFoundError:
        findings.problem("missing annotation", str(path))
        return ()
    # Expat opens no file that an XML names and bounds what its entities grow to; texts in an
    # encoding that it does not know raise the other errors.
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        findings.problem("annotation that is no XML", f"{path} ({error})")
        return ()
    return tuple(name.text or "" for name in root.iterfind("object/name"))
