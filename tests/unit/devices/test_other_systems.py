"""macOS and Windows, and the one function in front of all three."""

from pathlib import Path

import pytest

from kindlehl import devices
from kindlehl.devices import Device, linux, macos, windows


def kindle(mount: Path) -> Device:
    (mount / "documents").mkdir(parents=True)
    clippings = mount / "documents/My Clippings.txt"
    clippings.touch()
    return Device(mount.name, mount, "usb", (clippings,))


def test_macos_finds_kindles_among_the_volumes(tmp_path: Path) -> None:
    """The start volume, other disks and a missing /Volumes are passed over; a Kindle without clippings is reported."""
    found = kindle(tmp_path / "Kindle")
    (tmp_path / "Macintosh HD").symlink_to(tmp_path.parent)
    (tmp_path / "KINDLE 2").mkdir()
    (tmp_path / "Backup").mkdir()
    locked, readable = macos.connected(tmp_path)
    assert readable == found
    assert locked.obstacle is not None
    assert "KINDLE 2 shows no documents" in locked.obstacle
    assert macos.connected(tmp_path / "nowhere") == []


def test_windows_finds_kindles_among_the_drives(tmp_path: Path) -> None:
    """Letters without a drive, and drives without a medium, are passed over."""
    found = kindle(tmp_path / "E")
    (tmp_path / "D").mkdir()
    assert windows.connected([tmp_path / letter for letter in "ADEF"]) == [found]


def test_windows_asks_every_letter_but_that_of_the_system() -> None:
    """A clippings file on C: is somebody's copy."""
    letters = [str(drive)[0] for drive in windows.LETTERS]
    assert len(letters) == 25
    assert "C" not in letters
    assert "D" in letters


@pytest.mark.parametrize(
    ("platform", "module"), [("win32", windows), ("darwin", macos), ("linux", linux), ("freebsd14", linux)]
)
def test_each_system_has_its_own_module(platform: str, module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems that are not named mount as Linux does."""
    here = Device("Kindle", Path("/Kindle"), "usb")
    monkeypatch.setattr(module, "connected", lambda **_: [here])
    assert devices.connected(platform) == [here]


@pytest.mark.parametrize("error", [KeyError("uid"), OSError("no name")])
def test_an_account_without_a_name_is_no_error(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python reports it in two ways, by version; both mean: nobody's folder is looked at."""

    def nameless() -> str:
        raise error

    asked: list[object] = []
    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr(linux, "connected", lambda user, uid: asked.append(user) or [])
    assert devices.connected("linux") == []
    assert asked == [None]
