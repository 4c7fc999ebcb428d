"""Kindles on Windows: drive letters. Those that speak MTP have no letter and cannot be seen."""

import string
from collections.abc import Iterable
from pathlib import Path

from kindlehl.devices.device import Device, in_order, on_volume

# C: is never a reader, and a clippings file there is somebody's copy.
LETTERS = tuple(Path(f"{letter}:/") for letter in string.ascii_uppercase if letter != "C")


def connected(drives: Iterable[Path] = LETTERS) -> list[Device]:
    """The Kindles among the drives."""
    return in_order(device for drive in drives if (device := on_volume(drive)))
