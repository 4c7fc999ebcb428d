"""Kindles on Linux: drives where desktops and people mount them, and GVFS mounts of the newer ones."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from kindlehl.devices.device import Device, contents, in_order, looks_like_kindle, on_storages, on_volume

# The name udev gives a drive: usb-VENDOR_MODEL_SERIAL-INSTANCE:LUN, such as
# usb-Kindle_Internal_Storage_G0001234ABCD-0:0-part1
_BY_ID = re.compile(r"usb-.*kindle.*_(?P<serial>[^_]+?)-\d+:\d+(-part\d+)?", re.IGNORECASE)


def connected(root: Path = Path("/"), *, user: str | None, uid: int) -> list[Device]:
    """The Kindles that `user` can see; `root` stands for the file system's root."""
    drives = _drives(root)
    mounted = _mounted(root)
    serials = {point: drives[block] for point, block in mounted.items() if block in drives}
    volumes = [
        replace(device, serial=serials.get(folder.resolve()))
        for folder in [*_usual_places(root, user), *serials]
        if (device := on_volume(folder))
    ]
    waiting = _not_mounted({block: serial for block, serial in drives.items() if serial not in serials.values()})
    return in_order([*volumes, *_mtp(root, uid), *waiting])


def _usual_places(root: Path, user: str | None) -> list[Path]:
    parents = [root / "media", root / "mnt"]
    if user:
        parents += [root / "media" / user, root / "run/media" / user]
    folders = [folder for parent in parents for folder in contents(parent) if folder not in parents]
    return [root / "mnt", *folders]


def _mtp(root: Path, uid: int) -> Iterator[Device]:
    """Kindles that GNOME's file manager has mounted: gvfs/mtp:host=MODEL/STORAGE/documents."""
    for mount in contents(root / f"run/user/{uid}/gvfs"):
        protocol, _, host = mount.name.partition("host=")
        if protocol != "mtp:":
            continue
        name = unquote(host).replace("_", " ")
        device = on_storages(name, mount, "mtp", contents(mount))
        # Phones come through the same door: only a Kindle is worth a word when there is nothing to read.
        if device.clippings or looks_like_kindle(name):
            yield device


def _drives(root: Path) -> dict[Path, str]:
    """The serial number of each block device, drive or partition, that belongs to a Kindle."""
    links = contents(root / "dev/disk/by-id")
    return {link.resolve(): name["serial"] for link in links if (name := _BY_ID.fullmatch(link.name))}


def _mounted(root: Path) -> dict[Path, Path]:
    """The block device behind each mount point; of several on one point, the one on top.

    Mounts of the network are not even resolved: one whose server is gone would make us wait for it.
    """
    try:
        lines = (root / "proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return {}
    fields = [line.split(" ") for line in lines if line.startswith("/dev/")]
    return {_below(root, point).resolve(): _below(root, block).resolve() for block, point, *_ in fields}


def _below(root: Path, path: str) -> Path:
    """An absolute path of /proc/self/mounts, in which blanks and backslashes are octal escapes, under `root`."""
    return root / re.sub(r"\\([0-7]{3})", lambda escape: chr(int(escape[1], 8)), path).lstrip("/")


def _not_mounted(drives: dict[Path, str]) -> Iterator[Device]:
    """What to say about Kindles of which nothing is mounted, neither the drive nor a partition."""
    # In the order of their names a partition comes after its drive, and it is the partition that gets mounted.
    for serial, block in {serial: block for block, serial in sorted(drives.items())}.items():
        todo = f"Open it in the file manager, or type: udisksctl mount -b {block}"
        yield Device("Kindle", block, "usb", serial=serial, obstacle=f"A Kindle is plugged in but not mounted. {todo}")
