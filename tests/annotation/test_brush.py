import numpy as np
import pytest

from ssr.annotation.brush import decode, encode

# A head: number of words, bits of a word less one, bits of the four kinds of counts less one.
HEAD = "{:032b}" + "00111" + "0010" + "0011" + "0111" + "1111"


def packed(words: int, *runs: str) -> list[int]:
    text = HEAD.format(words) + "".join(runs)
    return [int(text[place : place + 8].ljust(8, "0"), 2) for place in range(0, len(text), 8)]


def test_strokes_are_runs_of_bytes_of_an_rgba_picture() -> None:
    """One clear pixel of four bytes, then two that are white."""
    clear, white = "1" + "00" + "011" + "00000000", "1" + "00" + "111" + "11111111"
    assert encode(np.array([[False, True, True]])) == packed(12, clear, white)


def test_runs_of_differing_words_are_read_as_label_studio_draws_them() -> None:
    """Four words of the first pixel one by one, of which the last, its opacity, counts."""
    one_by_one = "0" + "00" + "011" + "00000001" + "00000010" + "00000011" + "01000000"
    clear = "1" + "01" + "0011" + "00000000"
    np.testing.assert_array_equal(decode(packed(8, one_by_one, clear), 1, 2), [[True, False]])


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (150, 160)])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_what_is_packed_is_unpacked(size: tuple[int, int], share: float) -> None:
    """Runs are longer than the longest count can say where all pixels are alike."""
    pixels = np.random.default_rng(0).random(size) < share
    np.testing.assert_array_equal(decode(encode(pixels), *size), pixels)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (packed(8), r"wanted 1×1 pixels of four bytes, came 8 words"),
        (packed(4), "it is cut short"),
        (packed(4, "1" + "00" + "111" + "11111111"), "a run goes beyond the picture"),
        ([256], "bytes must be in range"),
    ],
)
def test_what_is_no_stroke_of_this_picture_is_refused(content: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decode(content, 1, 1)
