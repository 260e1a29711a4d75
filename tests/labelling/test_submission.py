import io
import tarfile
import time

import numpy as np
import pytest
from PIL import Image

from ssr.data.pngs import PngWriter, open_pngs, voc_palette
from ssr.errors import InputError
from ssr.labelling.submission import write_submission

FOLDER = "results/VOC2012/Segmentation/comp6_test_cls"
LABELS = {
    "2008_000006": np.array([[0, 1, 2], [20, 15, 0]], np.uint8),
    "2008_000011": np.full((5, 4), 7, np.uint8),
    "2008_000012": np.zeros((3, 3), np.uint8),
}


@pytest.fixture
def predictions(tmp_path):
    """Two shards, and in the second an image that is not asked for."""
    paths = [tmp_path / "test_0000.zip", tmp_path / "test_0001.zip"]
    for path, names in zip(paths, (list(LABELS)[:1], list(LABELS)[1:]), strict=True):
        with PngWriter(path) as writer:
            for name in names:
                writer.add(name, LABELS[name])
    return open_pngs(paths)


def test_archive_has_the_layout_of_the_voc_server(tmp_path, predictions):
    ids = list(LABELS)[:2]
    write_submission(tmp_path / "ssr.tar.gz", predictions, ids, FOLDER)
    with tarfile.open(tmp_path / "ssr.tar.gz", "r:gz") as archive:
        assert archive.getnames() == [f"{FOLDER}/{name}.png" for name in ids]
        assert all(entry.isfile() and entry.mode == 0o644 for entry in archive)
        for name in ids:
            content = archive.extractfile(f"{FOLDER}/{name}.png")
            image = Image.open(io.BytesIO(content.read()))
            assert (image.format, image.mode) == ("PNG", "P")
            assert image.size == LABELS[name].shape[::-1]
            np.testing.assert_array_equal(np.array(image), LABELS[name])
            palette = np.array(image.getpalette("RGB")).reshape(-1, 3)
            np.testing.assert_array_equal(palette[:21], voc_palette()[:21])


def test_equal_predictions_give_equal_bytes(tmp_path, predictions, monkeypatch):
    write_submission(tmp_path / "a.tar.gz", predictions, list(LABELS), FOLDER)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    write_submission(tmp_path / "b.tar.gz", predictions, list(LABELS), FOLDER)
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()


def test_an_image_without_prediction_leaves_no_archive(tmp_path, predictions):
    with pytest.raises(InputError, match="no label map of image 2008_000013"):
        write_submission(tmp_path / "ssr.tar.gz", predictions, ["2008_000013"], FOLDER)
    assert not list(tmp_path.glob("*ssr.tar.gz*"))
