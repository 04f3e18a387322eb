"""The device that a network runs on."""

from __future__ import annotations

from indexer.errors import ModelError


def choose_device(device: str) -> str:
    """The device to run on, as torch names it.

    Raises:
        ModelError: torch has no such device here.
    """
    import torch

    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "xpu": torch.xpu.is_available(),
    }
    usable = [name for name, there in present.items() if there] + ["cpu"]
    if device == "auto":
        return usable[0]
    kind, _, index = device.partition(":")
    n_devices = {"cuda": torch.cuda.device_count, "xpu": torch.xpu.device_count}.get(kind, lambda: 1)
    if kind not in usable or (index and not (index.isdecimal() and int(index) < n_devices())):
        raise ModelError(
            f"there is no device {device!r} on this machine; use --device {' or '.join(['auto', *usable])}"
        )
    return device
