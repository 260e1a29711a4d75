import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.made_up_results import make_results

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not shutil.which("chromium"), reason="chromium is missing: apt-get install chromium"
    ),
]


def test_every_view_becomes_a_picture_of_few_colours(
    tmp_path: Path, run_program: Callable[..., None]
) -> None:
    results = make_results(tmp_path / "run")
    folder = tmp_path / "pictures"
    run_program("draw_browser_pictures", "--results", results, "--image", "a", "--output", folder)
    drawn = sorted(folder.iterdir())
    names = ["inspect_gallery.png", "inspect_image.png", "inspect_prototypes.png"]
    assert [path.name for path in drawn] == names
    for path in drawn:
        with Image.open(path) as picture:
            assert (picture.mode, picture.width) == ("P", 1280)
