import pytest

from ssr.data.masks import read_masks, write_masks
from ssr.errors import InputError


@pytest.mark.parametrize("masks", [{}, {"b": "masks/b.png", "a": "masks/a.png"}])
def test_reads_what_was_written(tmp_path, masks):
    write_masks(tmp_path / "masks.parquet", masks)
    assert read_masks(tmp_path / "masks.parquet") == masks


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InputError, match=r"masks\.parquet: cannot be read"):
        read_masks(tmp_path / "masks.parquet")
