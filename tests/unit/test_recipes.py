"""The recipes of docs/backup.md: every command runs, and every file is one that its reader accepts."""

import configparser
import os
import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "backup.md").read_text("utf-8")
COMMAND = "kindlehl db backup --keep 7d,4w,12m"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def environment(home: Path) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"}


def test_every_command_runs(tmp_path: Path) -> None:
    """One after the other, with the sample in the library."""
    env = environment(tmp_path)
    sample = ROOT / "docs" / "sample" / "My Clippings.txt"
    subprocess.run(["kindlehl", "import", sample], env=env, check=True, capture_output=True)
    lines = [line[2:] for block in blocks("console") for line in block.splitlines()]
    assert len(lines) == 11
    for line in lines:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line], env=env, cwd=tmp_path, capture_output=True, check=False
        )
        assert (line, done.returncode, done.stderr) == (line, 0, b"")
    assert (tmp_path / "new" / "library.db").is_file()


def test_the_line_for_cron_is_one() -> None:
    """Five fields and a command; it says nothing while all is well."""
    (block,) = blocks("cron")
    (line,) = block.splitlines()
    *when, command = line.split(" ", 5)
    assert all(re.fullmatch(r"\*|\d+", field) for field in when)
    assert command == f"$HOME/.local/bin/{COMMAND} >/dev/null"
    assert "%" not in command  # means a new line there


def test_the_units_for_systemd_are_valid(tmp_path: Path) -> None:
    """By systemd's own judgement where it is installed."""
    service, timer = blocks("ini")
    for text in (service, timer):
        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys of units have capitals
        parser.read_string(text)
    assert f"ExecStart=/usr/bin/env {COMMAND}\n" in service
    (tmp_path / "kindlehl-backup.service").write_text(service, "utf-8")
    (tmp_path / "kindlehl-backup.timer").write_text(timer, "utf-8")
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("there is no systemd-analyze here")
    units = [str(tmp_path / f"kindlehl-backup.{kind}") for kind in ("service", "timer")]
    done = subprocess.run(
        [analyze, "verify", "--user", "--man=no", "--recursive-errors=no", *units],
        capture_output=True, encoding="utf-8", check=False, env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "kindlehl" in line]
    assert (done.returncode, ours) == (0, []), done.stderr
    calendar = re.findall(r"^OnCalendar=(.*)$", timer, re.MULTILINE)
    subprocess.run([analyze, "calendar", *calendar], check=True, capture_output=True)


def test_the_agent_for_launchd_is_valid() -> None:
    """A property list with the keys that launchd asks for."""
    (block,) = blocks("xml")
    agent = plistlib.loads(block.encode())
    assert agent["Label"] == "kindlehl.backup"
    assert agent["ProgramArguments"][-1].endswith(COMMAND)
    assert agent["StartCalendarInterval"] == {"Hour": 3, "Minute": 30}
