"""What this machine has for a run."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

MEGABYTE, GIGABYTE = 10**6, 10**9
_PROCESSORS = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Machine:
    """Processor cores that this process may use, memory in bytes, and the names of both chips."""

    cores: int
    memory: int
    gpu: str | None = None
    gpu_memory: int = 0
    processor: str = platform.machine()

    @classmethod
    def here(cls) -> Self:
        """This one; a GPU counts if torch can use it."""
        import torch

        cores = len(os.sched_getaffinity(0))
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if not torch.cuda.is_available():
            return cls(cores, memory, processor=_processor())
        gpu = torch.cuda.get_device_properties(0)
        return cls(cores, memory, gpu.name, gpu.total_memory, _processor())

    def __str__(self) -> str:
        gpu = f"{self.gpu} ({self.gpu_memory / GIGABYTE:.0f} GB)" if self.gpu else "no GPU"
        memory = f"{self.memory / GIGABYTE:.0f} GB of memory"
        return f"{self.processor}, {self.cores} cores, {memory}, {gpu}"

    def jobs(self, peak: float) -> int:
        """How many jobs of `peak` bytes run at once, a core each."""
        return max(1, min(self.cores, int(self.memory / peak)))


def _processor() -> str:
    """Its model as Linux names it; those of ARM have no name there, and are of a kind alone."""
    named = re.search(r"^model name\s*:\s*(.+)$", _PROCESSORS.read_text(), re.MULTILINE)
    return named[1] if named else platform.machine()
