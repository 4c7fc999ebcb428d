"""What a plugged-in reader is, and how a mounted folder is recognised as one."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Transport: TypeAlias = Literal["usb", "mtp"]
"""How the files are reached: as a drive, or through a mount of the Media Transfer Protocol (Kindles since 2022)."""


@dataclass(frozen=True, slots=True)
class Device:
    """A Kindle that is plugged in."""

    name: str
    """What the desktop calls it: the volume's label, or the model."""
    mount: Path
    """Where its files begin; for one that is plugged in and not mounted, its block device."""
    transport: Transport
    clippings: tuple[Path, ...] = ()
    """Its clippings files, by name; some devices hold a second one, `My Clippings_archived.txt`."""
    serial: str | None = None
    """Its serial number where the system shows it; tells two Kindles apart, and one from itself under another name."""
    obstacle: str | None = None
    """Why there is nothing to read, and what to do: sentences. None if and only if there are clippings."""


def looks_like_kindle(name: str) -> bool:
    """Whether a volume or model with this name is a Kindle; its files may say so when the name does not."""
    return "kindle" in name.casefold()


def on_volume(mount: Path) -> Device | None:
    """The Kindle whose files begin at this folder, or None: not a Kindle, or not ours to read."""
    found = on_storages(mount.name or str(mount), mount, "usb", [mount])
    if not found.clippings:
        # FUSE mounts of MTP (jmtpfs, go-mtpfs) show the device's storages, and the files are in one of them.
        inside = [storage for storage in contents(mount) if storage.name.casefold() == "internal storage"]
        found = on_storages(found.name, mount, "mtp", inside) if inside else found
    return found if found.clippings or looks_like_kindle(found.name) else None


def on_storages(name: str, mount: Path, transport: Transport, storages: Iterable[Path]) -> Device:
    """The Kindle at `mount`: with the clippings in the `documents` of its storages, or else with the obstacle."""
    documents: list[Path] = []
    clippings: list[Path] = []
    obstacle = f"{name} shows no documents. Unlock its screen, or plug it in again if it only charges."
    for storage in storages:
        try:
            documents += [entry for entry in sorted(storage.iterdir()) if entry.name.casefold() == "documents"]
        except OSError as error:
            obstacle = _unreadable(name, error)
    for folder in documents:
        try:
            clippings += [file for file in sorted(folder.iterdir()) if _is_clippings(file)]
            obstacle = f"{name} has no My Clippings.txt yet. The file appears with the first highlight or note."
        except OSError as error:
            obstacle = _unreadable(name, error)
    return Device(name, mount, transport, tuple(clippings), obstacle=None if clippings else obstacle)


def _unreadable(name: str, error: OSError) -> str:
    return f"{name} cannot be read ({error.strerror}). Unplug it, plug it in again and unlock its screen."


def _is_clippings(file: Path) -> bool:
    name = file.name.casefold()
    return name.startswith("my clippings") and name.endswith(".txt") and file.is_file()


def contents(folder: Path) -> list[Path]:
    """What is in a folder, by name; nothing if there is no such folder or it is not ours to read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def in_order(devices: Iterable[Device]) -> list[Device]:
    """Each device once, even where a link shows its mount a second time, by mount point."""
    seen: dict[Path, Device] = {}
    for device in sorted(devices, key=lambda device: device.mount):
        seen.setdefault(device.mount.resolve(), device)
    return list(seen.values())
