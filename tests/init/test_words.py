"""Words for CLIP."""

from ssr.config import DEFAULT_BACKGROUNDS
from ssr.init.words import THEMES, backgrounds, prompt_of, rare_words


def test_a_name_of_several_words_is_asked_for_in_words() -> None:
    assert prompt_of("street_lamp") == prompt_of("street-lamp") == "street lamp"
    assert prompt_of("boat") == "boat"
    assert prompt_of("_") == "_"


def test_words_that_clip_cuts_into_pieces_are_rare() -> None:
    prompts = ["tvmonitor on a shelf", "aeroplane", "kestrel", "möwe", "a red car", "Boat"]
    assert rare_words(prompts) == ["tvmonitor", "aeroplane", "kestrel", "möwe"]


def test_the_general_backgrounds_leave_out_what_is_a_class() -> None:
    assert {*DEFAULT_BACKGROUNDS} - {*backgrounds(["Bridge", "sign", "boat"])} == {"bridge", "sign"}


def test_themes_name_each_word_once() -> None:
    for words in THEMES.values():
        named = words.split(", ")
        assert len(set(named)) == len(named) > 5
