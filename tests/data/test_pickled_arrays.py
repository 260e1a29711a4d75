"""Dicts of arrays as other systems pickle them, read without running what a pickle says."""

import pickle

import numpy as np
import pytest
import torch

from ssr.data.pickled_arrays import is_pickled, read_pickled_arrays
from ssr.errors import InputError

MAPS = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def write(path, content):
    np.save(path, content, allow_pickle=True)
    return path


@pytest.mark.parametrize(
    "value",
    [
        MAPS,
        np.asfortranarray(MAPS),
        MAPS.astype(np.float16),
        MAPS[:0],
        torch.from_numpy(MAPS),
        torch.from_numpy(MAPS).transpose(0, 2)[1:],
        torch.from_numpy(MAPS).double(),
        torch.tensor([0, 14]),
        torch.tensor([True, False]),
        torch.tensor(3, dtype=torch.uint8),
    ],
)
def test_arrays_and_tensors_are_read_as_they_were_written(tmp_path, value):
    read = read_pickled_arrays(write(tmp_path / "a.npy", {"maps": value}))["maps"]
    expected = np.asarray(value)
    assert read.dtype == expected.dtype
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("key", [7, np.int64(7), np.uint8(7)])
def test_keys_may_be_numbers_of_numpy(tmp_path, key):
    assert list(read_pickled_arrays(write(tmp_path / "a.npy", {key: MAPS}))) == [7]


def test_arrays_of_numbers_are_told_from_pickles(tmp_path):
    assert not is_pickled(write(tmp_path / "a.npy", MAPS))
    assert is_pickled(write(tmp_path / "b.npy", {"maps": MAPS}))


class View:
    """Its pickle rebuilds a tensor of `arguments`."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, (*self.arguments, False, None)


@pytest.mark.parametrize(
    ("start", "shape", "strides"),
    [
        (0, (5,), (1,)),
        (1, (4,), (1,)),
        (-1, (1,), (1,)),
        (0, (2,), (-1,)),
        (0, (2, 2), (1 << 60, 1)),
    ],
)
def test_a_tensor_that_leads_out_of_its_storage_is_refused(tmp_path, start, shape, strides):
    view = View(torch.arange(4.0)._typed_storage(), start, shape, strides)
    with pytest.raises(InputError, match=r"a\.npy: cannot be read as a pickled dict"):
        read_pickled_arrays(write(tmp_path / "a.npy", {"maps": view}))


def test_a_pickle_within_a_tensor_is_not_run_either(tmp_path):
    class Evil:
        def __reduce__(self):
            return torch.storage._load_from_bytes, (pickle.dumps(print),)

    with pytest.raises(InputError, match=r"the pickle names builtins\.print, which is never run"):
        read_pickled_arrays(write(tmp_path / "a.npy", {"maps": Evil()}))


def test_a_tensor_of_numbers_that_numpy_does_not_know_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"names torch\.BFloat16Storage, which is never run"):
        read_pickled_arrays(write(tmp_path / "a.npy", {"maps": torch.zeros(2).bfloat16()}))
