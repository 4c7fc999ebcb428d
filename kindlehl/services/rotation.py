"""A folder of backups, named by the time they were made: the next name, and those that a policy no longer keeps."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kindlehl.domain.retention import Retention

_FORM = "kindlehl-%Y%m%dT%H%M%SZ.db"
_NAME = re.compile(r"kindlehl-[0-9]{8}T[0-9]{6}Z\.db")


def next_name(folder: Path, now: datetime) -> Path:
    """A name that is free: of this second, or of the next that is."""
    while (path := folder / now.strftime(_FORM)).exists():
        now += timedelta(seconds=1)
    return path


def backups_in(folder: Path) -> dict[datetime, Path]:
    """The files of a folder that are named like backups, oldest first."""
    try:
        files = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    except OSError:
        return {}
    found: dict[datetime, Path] = {}
    for path in files:
        try:
            made = datetime.strptime(path.name, _FORM).replace(tzinfo=UTC)
        except ValueError:
            continue  # a day that there is not
        if path.is_file() and not path.is_symlink():
            found[made] = path
    return found


def superseded(folder: Path, policy: Retention, written: Path, is_ours: Callable[[Path], bool]) -> list[Path]:
    """The backups that a policy no longer keeps, oldest first: only what is ours by more than its name, and never the
    one just written."""
    found = {made: path for made, path in backups_in(folder).items() if path == written or is_ours(path)}
    kept = policy.kept(found)
    return [path for made, path in found.items() if made not in kept and path != written]
