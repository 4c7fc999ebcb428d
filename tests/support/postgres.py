"""A real PostgreSQL, in a folder of its own, that listens on no port and is gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

PLACES = ("/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin")


def programs() -> Path | None:
    """Where PostgreSQL's programs are, if anywhere."""
    found = next((Path(place) for place in PLACES if Path(place, "initdb").exists()), None)
    if found is None and (initdb := shutil.which("initdb")):
        found = Path(initdb).parent
    return found


@contextmanager
def running(places: Path) -> Generator[Path]:
    """A cluster; yields the folder with its socket. As root it runs as the user `postgres`, since it refuses root."""
    run_as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="khl-pg-"))  # short: the path of a socket has 107 bytes
    try:
        if run_as:
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = folder / "data"
        subprocess.run(
            [*run_as, places / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8",
             "--locale=C.UTF-8"],
            check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
        with subprocess.Popen(
            [*run_as, places / "postgres", "-D", data, *options], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd="/",
        ) as server:  # fmt: skip
            try:
                state = data / "postmaster.pid"  # its socket is there before it lets anybody in
                while not state.exists() or not state.read_text().rstrip().endswith("ready"):
                    assert server.poll() is None
                    time.sleep(0.02)
                yield folder
            finally:
                pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
                os.kill(pid, 2)  # SIGINT: everybody is sent away, then it stops
                server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
