"""The README's pictures of `ssr inspect`: its views in Chromium, on the results of the demo."""

from __future__ import annotations

import io
import shutil
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssr.artefacts.files import replacing
from ssr.errors import InputError
from ssr.running.programs import parser, run

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-quic"),
)
# The images that refinement harms most; one image with all its stages; the prototypes.
_VIEWS = {
    "inspect_gallery.png": ("#sort=gain&split=val", (1280, 700)),
    "inspect_image.png": ("#page=image&image={}&patch=150&with=clip", (1280, 900)),
    "inspect_prototypes.png": ("#page=prototypes", (1280, 700)),
}


def main(arguments: Namespace) -> None:
    """Open every view and keep a picture of it."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if not chromium:
        raise InputError("chromium is missing: apt-get install chromium")
    with served(arguments.results) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name, (view, (width, height)) in _VIEWS.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(address + view.format(arguments.image))
            page.wait_for_load_state("networkidle")
            with replacing(arguments.output / name) as temporary:
                temporary.write_bytes(_few_colours(page.screenshot()))
            page.close()
        browser.close()


@contextmanager
def served(*results: Path) -> Iterator[str]:
    """The address of the page of `results`."""
    import uvicorn

    from ssr.inspect.server import application
    from ssr.results import open_results

    app = application([open_results(folder) for folder in results], "pictures")
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/pictures/"
    finally:
        server.should_exit = True
        thread.join()


def _few_colours(png: bytes) -> bytes:
    """The same picture with 256 colours."""
    from PIL import Image

    buffer = io.BytesIO()
    full = Image.open(io.BytesIO(png), formats=["PNG"]).convert("RGB")
    # Of PIL's ways the one that keeps rare colours, which legends have.
    full.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        buffer, "PNG", optimize=True
    )
    return buffer.getvalue()


if __name__ == "__main__":
    flags = parser(__doc__)
    flags.add_argument("--results", type=Path, default=Path("results/demo"))
    flags.add_argument("--image", default="demo_000007")
    flags.add_argument("--output", type=Path, default=Path("docs/images"))
    run(main, flags)
