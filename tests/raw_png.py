"""PNGs of any bit depth, as other programs write them: PIL writes few of them."""

import struct
import zlib

import numpy as np

GREY, COLOUR, PALETTE = 0, 2, 3  # PNG's colour types


def raw_png(numbers: np.ndarray, bits: int, kind: int) -> bytes:
    """A PNG whose pixels are these numbers (H, W), or (H, W, 3) of `COLOUR`, in `bits` each."""
    rows = numbers.reshape(len(numbers), -1)
    header = struct.pack(">IIBBBBB", numbers.shape[1], len(rows), bits, kind, 0, 0, 0)
    palette = [_chunk(b"PLTE", bytes(3 * 2**bits))] if kind == PALETTE else []
    data = _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + _packed(row, bits) for row in rows)))
    chunks = [_chunk(b"IHDR", header), *palette, data, _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _packed(row: np.ndarray, bits: int) -> bytes:
    digits = "".join(f"{number:0{bits}b}" for number in row)
    return bytes(
        int(digits[start : start + 8].ljust(8, "0"), 2) for start in range(0, len(digits), 8)
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
