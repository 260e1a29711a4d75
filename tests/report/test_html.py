import base64
import io
import re
from dataclasses import replace

import numpy as np
from PIL import Image

from ssr.report import html
from ssr.report.tables import Table

TABLE = Table("A & B", ("Row", "Ours", "<Theirs>"), (("a<b", "1.0", "2.0"),), ("mind & the gap",),
              published=frozenset({2}))  # fmt: skip


BLOCKS = html.TEMPLATES.get_template("blocks.html").module


def written(table: Table) -> str:
    return str(BLOCKS.show_table(table))


def decoded(source: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(source.partition("base64,")[2])))


def test_tables_are_escaped_and_marked() -> None:
    text = written(TABLE)
    assert "<caption>A &amp; B</caption>" in text
    assert '<th scope="row" class="words">a&lt;b</th>' in text
    assert '<td class="">1.0</td>' in text
    assert '<td class=" published">2.0</td>' in text
    assert '<th scope="col" class=" published">&lt;Theirs&gt;</th>' in text
    assert "<li>mind &amp; the gap</li>" in text


def test_the_best_is_bold_and_what_is_near_it_marked() -> None:
    text = written(replace(TABLE, best=frozenset({(0, 1)}), near=frozenset({(0, 2)})))
    assert '<td class=""><b>1.0</b></td>' in text
    assert '<td class=" published">2.0 ≈</td>' in text


def test_pictures_lie_inside_the_page() -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, 3:] = [200, 30, 40]
    text = str(BLOCKS.show_picture(pixels, 'one "two"', "p"))
    (source,) = re.findall(r'src="([^"]+)" alt="one &#34;two&#34;"', text)
    np.testing.assert_array_equal(np.array(decoded(source).convert("RGB")), pixels)


def test_sheets_keep_all_colours() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    found = np.array(Image.open(io.BytesIO(html.sheet_png(pixels))))
    np.testing.assert_array_equal(found, pixels)
