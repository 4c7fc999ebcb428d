"""Kindles on macOS: volumes under /Volumes. Those that speak MTP are no volume and cannot be seen."""

from pathlib import Path

from kindlehl.devices.device import Device, contents, in_order, on_volume


def connected(volumes: Path = Path("/Volumes")) -> list[Device]:
    """The Kindles among the mounted volumes."""
    return in_order(device for folder in contents(volumes) if (device := on_volume(folder)))
