"""Two runs at once: the second waits for the first, and if it waits in vain it says for whom."""

import os
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from support.cli import SAMPLE, Kindlehl, complaint, highlight, shown, written

from kindlehl.store.library import open_library
from kindlehl.store.writer import noted, writer


class TestTheProgram:
    """As a person sees it."""

    def test_whoever_waits_in_vain_is_told_for_whom(self, kindlehl: Kindlehl) -> None:
        """Process and for how long; exit 75; who only looks does not wait. Afterwards nothing is left beside it."""
        kindlehl.ok("import", SAMPLE)
        library = open_library(kindlehl.library)
        try:
            with library.transaction():
                new = written(kindlehl.home / "c.txt", highlight("New."))
                told = complaint(kindlehl("--wait", "0.1", "import", new), 75)
                found = re.search(r"process (\d+), for (\d+) s", told)
                assert found
                assert int(found[1]) == os.getpid()
                env = {"KINDLEHL_WAIT": "0.1"}
                assert "--wait" in complaint(kindlehl("db", "rebuild", env=env), 75)
                assert kindlehl.ok("list", "--plain", env=env).count("\n") == 18
        finally:
            library.close()
        kindlehl.ok("--wait", "0", "import", new)
        assert [path.name for path in kindlehl.library.parent.iterdir()] == ["library.db"]

    def test_whoever_waits_long_enough_goes_on(self, kindlehl: Kindlehl) -> None:
        """Without a word."""
        kindlehl.ok("import", SAMPLE)
        with closing(sqlite3.connect(kindlehl.library, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with kindlehl.start(
                "import", written(kindlehl.home / "c.txt", highlight("New.")), env={"KINDLEHL_WAIT": "30"}
            ) as process:
                time.sleep(1)
                assert process.poll() is None
                other.execute("ROLLBACK")
                _, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (0, b"")
        assert len(shown(kindlehl.library)) == 20

    def test_a_time_that_is_none_is_a_usage_error(self, kindlehl: Kindlehl) -> None:
        """On the command line and in the environment."""
        assert kindlehl("--wait", "nan", "import", SAMPLE).code == 2
        assert "KINDLEHL_WAIT" in complaint(kindlehl("import", SAMPLE, env={"KINDLEHL_WAIT": "nan"}), 2)
        assert not list(kindlehl.home.iterdir())

    def test_an_import_without_a_library_notes_nothing(self, kindlehl: Kindlehl) -> None:
        """A dry run folds in memory."""
        kindlehl.ok("import", SAMPLE, "--dry-run")
        assert not list(kindlehl.home.iterdir())


class TestTheNote:
    """What it says and when it says nothing."""

    def test_it_names_this_process_while_it_writes(self, tmp_path: Path) -> None:
        """And nobody before and after."""
        library = tmp_path / "library.db"
        library.touch()
        assert writer(library) is None
        with noted(library):
            assert writer(library) is not None
        assert writer(library) is None
        assert [*tmp_path.iterdir()] == [library]

    def test_what_a_crash_left_names_nobody(self, tmp_path: Path) -> None:
        """And is taken away by the next."""
        library = tmp_path / "library.db"
        library.touch()
        written(tmp_path / "library.db.writer", "1")
        assert writer(library) is None
        with noted(library):
            assert writer(library) is not None
        assert [*tmp_path.iterdir()] == [library]

    def test_where_no_note_can_be_left_writing_goes_on(self, tmp_path: Path) -> None:
        """A folder in its place."""
        library = tmp_path / "library.db"
        library.touch()
        (tmp_path / "library.db.writer").mkdir()
        with noted(library):
            assert writer(library) is None
