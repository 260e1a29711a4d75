"""What this machine has for a run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

MEGABYTE, GIGABYTE = 10**6, 10**9


@dataclass(frozen=True)
class Machine:
    """Processor cores that this process may use, memory in bytes, and the name of a GPU."""

    cores: int
    memory: int
    gpu: str | None = None
    gpu_memory: int = 0

    @classmethod
    def here(cls) -> Self:
        """This one; a GPU counts if torch can use it."""
        import torch

        cores = len(os.sched_getaffinity(0))
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if not torch.cuda.is_available():
            return cls(cores, memory)
        gpu = torch.cuda.get_device_properties(0)
        return cls(cores, memory, gpu.name, gpu.total_memory)

    def __str__(self) -> str:
        gpu = f"{self.gpu} ({self.gpu_memory / GIGABYTE:.0f} GB)" if self.gpu else "no GPU"
        return f"{self.cores} cores, {self.memory / GIGABYTE:.0f} GB of memory, {gpu}"

    def jobs(self, peak: float) -> int:
        """How many jobs of `peak` bytes run at once, a core each."""
        return max(1, min(self.cores, int(self.memory / peak)))
