"""With which server a library is paired: a file beside it that nobody else may read.

No keyring: cron and a service have none, and whoever could read this file can read the library beside it, which holds
all that the token gives.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from kindlehl.domain import withholding
from kindlehl.domain.errors import LibraryError, NotFoundError


class Pairing(NamedTuple):
    """A server, and the token by which a device is let in there."""

    url: str
    token: str
    device: str
    """What this device is called there."""
    person: str
    """The id of whoever it belongs to there. What a library remembers of the server it remembers of this person: on the
    same server somebody else has another library, and the same person's may move to another address."""
    withheld: int = withholding.NOTHING
    """What this device keeps to itself."""
    computer: str = ""
    """The name of the computer that was paired: one of another name holds a copy."""


def path(library: Path) -> Path:
    """Where it is kept for a library."""
    real = library.resolve()
    return real.with_name(f"{real.stem}.server.json")


def read(library: Path) -> Pairing | None:
    """With what a library is paired; None where it is with nothing. Raises LibraryError where it cannot be told."""
    file = path(library)
    try:
        held = _held(file)
        withheld = sum({withholding.NAMES[name] for name in held["withholds"]})  # an unknown wish is none to overlook
        if "url" not in held:  # what is left of an earlier pairing
            return None
        url, token, device, person, computer = (
            str(held[name]) for name in ("url", "token", "device", "person", "computer")
        )
        return Pairing(url, token, device, person, withheld, computer)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LibraryError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LibraryError(f"{file} is damaged.", hint="Pair this device again: kindlehl pair URL") from error


def person(library: Path) -> str:
    """To whom this device belongs, or did until it was paired no more; nothing where that cannot be told."""
    try:
        return str(_held(path(library))["person"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def withheld(library: Path) -> int:
    """What a device keeps to itself, paired or not. Where that cannot be told, everything."""
    file = path(library)
    try:
        held = _held(file)
        return sum({withholding.NAMES[name] for name in held["withholds"]})
    except FileNotFoundError:
        return withholding.NOTHING
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return withholding.ALL


def needed(library: Path) -> Pairing:
    """The same. Raises NotFoundError where there is none."""
    found = read(library)
    if found is None:
        raise NotFoundError("This library is paired with no server.", hint="Pair it: kindlehl pair URL")
    return found


def write(library: Path, pairing: Pairing) -> None:
    """Keep it, whole or not at all. Raises LibraryError."""
    _write(
        path(library),
        {
            "url": pairing.url,
            "token": pairing.token,
            "device": pairing.device,
            "person": pairing.person,
            "withholds": withholding.names(pairing.withheld),
            "computer": pairing.computer,
        },
    )


def forget(library: Path) -> None:
    """It is paired no more; what it keeps to itself it goes on keeping, whatever it is paired with next."""
    kept, before = withheld(library), person(library)
    _write(path(library), {"withholds": withholding.names(kept), "person": before})


def _held(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def _write(file: Path, held: dict[str, object]) -> None:
    aside = file.with_name(f"{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        aside.unlink(missing_ok=True)
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:  # noqa: PTH123 -- nobody else may read it, from the first byte on
            json.dump(held, out)
            out.flush()
            os.fsync(out.fileno())
        aside.replace(file)
    except OSError as error:
        raise LibraryError(f"{file} cannot be written: {error.strerror}.", hint="Nothing was changed.") from error
