"""Files that would run code in whoever opens them carelessly; what they do leaves a trace."""

import os
import pickle
from pathlib import Path


class Payload:
    """Its pickle makes the folder `trace` when it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, (str(self.trace),))


def assert_works(trace: Path) -> None:
    """The payload does leave its trace where pickles are run: a test with it can fail."""
    pickle.loads(pickle.dumps(Payload(trace)))
    assert trace.is_dir()
    trace.rmdir()
