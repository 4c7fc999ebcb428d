"""A file system is laid out in a temporary folder, and the Kindles in it are looked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kindlehl.devices import Device, linux

SERIAL = "G0001234ABCD"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("media/ann", "mnt", "run/media/ann", "dev/disk/by-id", "proc/self"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def connected(root: Path, user: str | None = "ann") -> list[Device]:
    return linux.connected(root, user=user, uid=1000)


def kindle(mount: Path, *names: str, documents: str = "documents") -> Path:
    (mount / documents).mkdir(parents=True)
    for name in names or ("My Clippings.txt",):
        (mount / documents / name).touch()
    return mount


def drive(root: Path, name: str, link: str) -> None:
    (root / "dev" / name).touch()
    (root / "dev/disk/by-id" / link).symlink_to(f"../../{name}")


def mounts(root: Path, *lines: str) -> None:
    (root / "proc/self/mounts").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.mark.parametrize(
    "place",
    ["run/media/ann/Kindle", "media/ann/Kindle", "media/Kindle", "mnt/Kindle", "mnt"],
)
def test_a_kindle_is_found_where_drives_get_mounted(root: Path, place: str) -> None:
    """Desktops mount below /run/media or /media, people by hand below /mnt or on it."""
    mount = kindle(root / place)
    assert connected(root) == [Device(mount.name, mount, "usb", (mount / "documents/My Clippings.txt",))]


def test_nothing_plugged_in_is_an_empty_list(root: Path) -> None:
    """Neither a machine without these folders nor a memory stick is a Kindle."""
    (root / "media/ann/STICK/documents").mkdir(parents=True)
    assert connected(root) == []
    assert connected(root / "nowhere") == []


def test_an_account_without_a_name_sees_what_belongs_to_nobody(root: Path) -> None:
    """In a container there may be no user name; /mnt is looked at all the same."""
    kindle(root / "media/ann/Kindle")
    mount = kindle(root / "mnt/Kindle")
    assert [device.mount for device in connected(root, user=None)] == [mount]


def test_the_drives_of_somebody_else_are_left_alone(root: Path) -> None:
    """Only the user's own folder below /media is entered."""
    kindle(root / "media/bob/Kindle")
    assert connected(root) == []


def test_a_user_called_kindle_is_not_taken_for_one(root: Path) -> None:
    """The folder /media/USER is a place for mounts, not a mount."""
    (root / "media/kindle").mkdir()
    assert connected(root, user="kindle") == []


def test_both_clippings_files_of_a_device_are_found_in_any_case(root: Path) -> None:
    """Some devices hold an archive beside the file; FAT does not tell upper from lower case."""
    mount = kindle(
        root / "mnt/Kindle", "MY CLIPPINGS.TXT", "My Clippings_archived.txt", "notes.txt", documents="Documents"
    )
    (mount / "Documents/My Clippings.sdr.txt").mkdir()
    (device,) = connected(root)
    assert [file.name for file in device.clippings] == ["MY CLIPPINGS.TXT", "My Clippings_archived.txt"]
    assert device.obstacle is None


def test_a_renamed_volume_is_known_by_its_clippings(root: Path) -> None:
    """People name their Kindle; the name is shown, the files decide."""
    kindle(root / "media/ann/Ann's")
    assert [device.name for device in connected(root)] == ["Ann's"]


def test_several_kindles_come_in_the_order_of_their_mounts(root: Path) -> None:
    """The same devices give the same list, whatever order the file system has."""
    for place in ("run/media/ann/Kindle", "media/ann/Kindle1", "mnt/Kindle", "media/ann/Kindle"):
        kindle(root / place)
    found = [str(device.mount.relative_to(root)) for device in connected(root)]
    assert found == ["media/ann/Kindle", "media/ann/Kindle1", "mnt/Kindle", "run/media/ann/Kindle"]


def test_a_link_to_a_mount_is_no_second_kindle(root: Path) -> None:
    """usbmount keeps such links in /media."""
    kindle(root / "media/usb0")
    (root / "media/usb").symlink_to("usb0")
    assert len(connected(root)) == 1


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("sdb1", f"usb-Kindle_Internal_Storage_{SERIAL}-0:0-part1"),
        ("sdb", f"usb-Kindle_Internal_Storage_{SERIAL}-0:0"),
        ("sdc1", f"usb-Amazon_KINDLE_{SERIAL}-0:1-part1"),
    ],
)
def test_the_serial_is_read_from_the_name_of_the_drive(root: Path, name: str, link: str) -> None:
    """Mount point → block device → the name that udev made of model and serial. A blank is an octal escape."""
    kindle(root / "media/ann/My Kindle")
    drive(root, name, link)
    mounts(root, "proc /proc proc rw 0 0", rf"/dev/{name} /media/ann/My\040Kindle vfat rw 0 0")
    (device,) = connected(root)
    assert device.serial == SERIAL


def test_a_serial_belongs_to_its_own_drive_only(root: Path) -> None:
    """A Kindle whose drive udev does not name has no serial, whatever else is plugged in."""
    kindle(root / "media/ann/Kindle")
    kindle(root / "media/ann/Kindle1")
    drive(root, "sdb1", f"usb-Kindle_Internal_Storage_{SERIAL}-0:0-part1")
    (root / "dev/sdc1").touch()
    mounts(root, "/dev/sdb1 /media/ann/Kindle1 vfat rw 0 0", "/dev/sdc1 /media/ann/Kindle vfat rw 0 0")
    assert [(device.name, device.serial) for device in connected(root)] == [("Kindle", None), ("Kindle1", SERIAL)]


def test_mounts_of_the_network_are_not_touched(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for anything below a mount whose server is gone may wait for ever."""
    touched: list[Path] = []
    resolve = Path.resolve
    monkeypatch.setattr(Path, "resolve", lambda path: (touched.append(path), resolve(path))[1])
    mounts(root, "nas:/books /srv/nas nfs4 rw 0 0", "/dev/sda1 / ext4 rw 0 0")
    connected(root)
    assert touched
    assert root / "srv/nas" not in touched


def test_a_kindle_mounted_in_an_unusual_place_is_found_by_its_drive(root: Path) -> None:
    """The list of mounts names it, wherever it is."""
    mount = kindle(root / "home/ann/reader")
    drive(root, "sdb1", f"usb-Kindle_Internal_Storage_{SERIAL}-0:0-part1")
    mounts(root, "/dev/sdb1 /home/ann/reader vfat rw 0 0")
    assert [(device.mount, device.serial) for device in connected(root)] == [(mount, SERIAL)]


def test_a_kindle_that_is_not_mounted_is_reported_with_its_partition(root: Path) -> None:
    """Plugged in, no mount: the line to type names the partition, not the whole drive."""
    drive(root, "sdb", f"usb-Kindle_Internal_Storage_{SERIAL}-0:0")
    drive(root, "sdb1", f"usb-Kindle_Internal_Storage_{SERIAL}-0:0-part1")
    drive(root, "sda1", "usb-SanDisk_Ultra_4C53-0:0-part1")
    mounts(root, "/dev/sda1 / ext4 rw 0 0")
    (device,) = connected(root)
    assert (device.serial, device.mount, device.clippings) == (SERIAL, root / "dev/sdb1", ())
    assert device.obstacle is not None
    assert f"not mounted. Open it in the file manager, or type: udisksctl mount -b {root}/dev/sdb1" in device.obstacle


def test_a_kindle_of_the_gnome_file_manager_is_found(root: Path) -> None:
    """Newer Kindles speak MTP; GVFS shows them as folders, one a storage."""
    mount = root / "run/user/1000/gvfs/mtp:host=Amazon_Kindle_Scribe%20X"
    kindle(mount / "Internal Storage")
    (mount / "Card").mkdir()
    clippings = mount / "Internal Storage/documents/My Clippings.txt"
    assert connected(root) == [Device("Amazon Kindle Scribe X", mount, "mtp", (clippings,))]


def test_every_storage_of_an_mtp_device_is_read(root: Path) -> None:
    """A memory card, or a second storage, may hold clippings of its own; files beside the storages do not disturb."""
    mount = root / "run/user/1000/gvfs/mtp:host=Amazon_Kindle"
    kindle(mount / "Card")
    kindle(mount / "Internal Storage")
    (mount / "DeviceInfo.txt").touch()
    (device,) = connected(root)
    assert [file.parent.parent.name for file in device.clippings] == ["Card", "Internal Storage"]


def test_an_mtp_mount_made_by_hand_is_found(root: Path) -> None:
    """jmtpfs and go-mtpfs show the storages below the mount point."""
    kindle(root / "mnt/reader/Internal Storage")
    (device,) = connected(root)
    assert (device.name, device.transport, len(device.clippings)) == ("reader", "mtp", 1)


def test_a_locked_kindle_is_reported(root: Path) -> None:
    """GVFS mounts it and shows no storage until its screen is unlocked."""
    (root / "run/user/1000/gvfs/mtp:host=Amazon_Kindle").mkdir(parents=True)
    (device,) = connected(root)
    assert device.clippings == ()
    assert device.obstacle is not None
    assert "Unlock its screen" in device.obstacle


def test_a_new_kindle_without_highlights_is_reported(root: Path) -> None:
    """The file is not there before the first highlight; that is no fault."""
    (root / "media/ann/Kindle/documents").mkdir(parents=True)
    mount = root / "run/user/1000/gvfs/mtp:host=Amazon_Kindle"
    (mount / "Internal Storage/documents").mkdir(parents=True)
    usb, mtp = connected(root)
    for device in (usb, mtp):
        assert device.obstacle is not None
        assert "has no My Clippings.txt yet" in device.obstacle


def test_a_telephone_is_no_kindle(root: Path) -> None:
    """Telephones come through GVFS too, and other kinds of mounts; neither is worth a word."""
    (root / "run/user/1000/gvfs/mtp:host=Google_Pixel/Internal shared storage/Documents").mkdir(parents=True)
    (root / "run/user/1000/gvfs/ftp:host=kindle.local/documents").mkdir(parents=True)
    assert connected(root) == []


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
@pytest.mark.parametrize("place", [".", "documents"])
def test_a_kindle_that_cannot_be_read_is_reported(
    root: Path, monkeypatch: pytest.MonkeyPatch, place: str, error: OSError
) -> None:
    """Not ours to read, or pulled out just now: it becomes the obstacle of that device and leaves the others alone."""
    gone = kindle(root / "media/ann/Kindle")
    stick = kindle(root / "media/ann/STICK")
    kindle(root / "media/ann/Kindle2")
    iterdir = Path.iterdir

    def failing(folder: Path) -> Iterator[Path]:
        if folder in (gone / place, stick / place):
            raise error
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", failing)
    first, second = connected(root)
    assert first.obstacle is not None
    assert f"Kindle cannot be read ({error.strerror})" in first.obstacle
    assert first.clippings == ()
    assert second.clippings


def test_nothing_is_written(root: Path) -> None:
    """Devices are only read: looking twice leaves every entry and its time as it was."""
    kindle(root / "media/ann/Kindle")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert connected(root) == connected(root)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
