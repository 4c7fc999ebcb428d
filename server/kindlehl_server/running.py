"""That a server runs on a folder: a lock of the system, which goes with its process."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from kindlehl.domain.errors import BusyError, LibraryError

try:
    import fcntl
except ImportError:  # Windows: nobody is kept out there
    fcntl = None  # type: ignore[assignment]  # asked for before every use


@contextmanager
def alone(data: Path) -> Generator[None]:
    """Nobody else runs on this folder, mends it or puts another in its place meanwhile. Raises BusyError where somebody
    does, LibraryError where nothing can be written there."""
    if not fcntl:
        yield
        return
    try:
        lock = (data / "server.lock").open("w")
    except OSError as error:
        raise LibraryError(
            f"{data} cannot be written: {error.strerror}.", hint="Check its permissions, or choose another one: --data"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(
                f"A server runs on {data}.", hint="Stop it first, or name another folder: --data FOLDER"
            ) from error
        yield
