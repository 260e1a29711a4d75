"""Files that are whole or not there, sealed, and equal for equal content.

In: named arrays of images, dataclasses of arrays, named tensors, or bytes.
Out: shard stores (zarr in an uncompressed zip), .npz, safetensors and zip files; each appears under
its name when it is complete and holds the SHA-256 of its other bytes.
"""

__all__ = ["archives", "arrays", "files", "seals", "store", "tensors"]
