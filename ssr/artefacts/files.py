"""Whole files or none: write to a temporary name, then rename."""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ssr.errors import InputError

# By their text, for libraries in other languages raise other exceptions than OSError.
_NO_ROOM = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)]


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    A job that is killed, or a disk that is full, thus never leaves half a file under the final
    name. The temporary file is removed when the block raises.

    Raises:
        InputError: the disk, a quota or a limit has no room for the file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # No two writers share it: containers and nodes give out the same process ids.
    temporary = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):  # such as of a name that is too long
            temporary.unlink(missing_ok=True)
        if reason := _no_room(error):
            raise InputError(
                f"{path}: {reason}; nothing of the file was kept: make room and run again"
            ) from error
        raise


def _no_room(error: BaseException | None) -> str | None:
    """Which limit was met, if the error or one that it hides tells of one."""
    while error:
        if reason := next((reason for reason in _NO_ROOM if reason in str(error)), None):
            return reason
        error = error.__context__
    return None
