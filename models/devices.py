"""What models can compute on here."""

from __future__ import annotations

import os


def describe() -> str:
    """The devices that models would use, in words."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cpu = f"{cores} CPU cores, torch {torch.__version__}"
    if not torch.cuda.is_available():
        return f"{cpu}; no CUDA GPU: everything runs on the CPU"
    names = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    return f"{cpu}; CUDA: {names}"
