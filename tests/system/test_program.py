"""The program itself: help, usage errors, which library, pipes, and the care of the library's file."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import SAMPLE, Kindlehl, complaint, facts, highlight, many, query, shown, written
from support.tree import commands

from kindlehl.cli.render import cells


class TestHelp:
    """The program explains itself; that each command does is in `tests/contract/test_commands.py`."""

    def test_no_arguments_give_the_help(self, kindlehl: Kindlehl) -> None:
        """A person who types the bare name sees what there is, and it touches nothing."""
        assert kindlehl.ok() == kindlehl.ok("-h") == kindlehl.ok("--help")
        assert "import" in kindlehl.ok()
        assert not list(kindlehl.home.iterdir())

    def test_help_explains_commands_and_topics(self, kindlehl: Kindlehl) -> None:
        """`help COMMAND` is what `COMMAND -h` says, a group's command too; `help` alone names the topics besides."""
        assert kindlehl.ok("help", "list") == kindlehl.ok("list", "-h")
        assert kindlehl.ok("help", "db", "path") == kindlehl.ok("db", "path", "-h")
        assert kindlehl.ok("help").startswith(kindlehl.ok("-h"))
        for topic in ("environment", "exit-codes", "formatting", "queries", "privacy"):
            assert f"  {topic} " in kindlehl.ok("help")
            for columns in (80, 40):
                out = kindlehl.ok("help", topic, env={"COLUMNS": str(columns)})
                assert out.count("\n") > 4
                assert not [line for line in out.splitlines() if cells(line) > columns]
        assert "Did you mean `search`?" in complaint(kindlehl("help", "serach"), 2)
        assert "Did you mean `exit-codes`?" in complaint(kindlehl("help", "exit-code"), 2)
        complaint(kindlehl("help", "list", "frobnicate"), 2)

    @pytest.mark.parametrize("about", [[], ["list"], ["db"], ["db", "path"], ["exit-codes"]], ids=" ".join)
    def test_manual_pages_are_what_man_reads(self, kindlehl: Kindlehl, about: list[str]) -> None:
        """With all that the help says; groff and mandoc, where they are, find nothing to warn of."""
        page = kindlehl.ok("help", "--man", *about)
        assert page.isascii()
        assert page.startswith('.TH "KINDLEHL')
        assert ".SH NAME\n" in page
        assert not re.search(r"^'", page, re.MULTILINE)
        assert {line.split()[0] for line in page.splitlines() if line.startswith(".")} <= {
            ".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".BR",
        }  # fmt: skip
        for checker in (["mandoc", "-T", "lint", "-W", "error"], ["groff", "-man", "-ww", "-z"]):
            if shutil.which(checker[0]):
                done = subprocess.run(checker, input=page, capture_output=True, text=True, timeout=60, check=False)
                assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_the_manual_names_every_command_and_topic(self, kindlehl: Kindlehl) -> None:
        """One page for the program, with a section for each."""
        page = kindlehl.ok("help", "--man").replace("\\-", "-")
        for command in commands()[1:]:
            assert f".SS kindlehl {command.name}\n" in page
        for heading in ("ENVIRONMENT", "EXIT-CODES", "FORMATTING", "QUERIES", "PRIVACY"):
            assert f".SH {heading}\n" in page

    def test_the_version_is_one_line(self, kindlehl: Kindlehl) -> None:
        """Exit 0; exit 1 with a sentence where it cannot be written."""
        assert kindlehl.ok("--version").startswith("kindlehl ")
        with Path("/dev/full").open("wb") as full, kindlehl.start("--version", stdout=full) as process:
            assert process.communicate()[1].startswith(b"kindlehl: standard output cannot be written: No space left")
        assert process.returncode == 1
        assert kindlehl.ok("--version").count("\n") == 1


class TestUsageErrors:
    """A request that makes no sense exits 2 and touches nothing."""

    @pytest.mark.parametrize(
        "command",
        [
            ("frobnicate",), ("list", "--frobnicate"), ("show",), ("search",), ("db", "frobnicate"),
            ("list", "--limit", "many"), ("list", "--limit", "-1"), ("search", "x", "--limit", "0"),
            ("show", "a", "b"), ("trash", "extra"), ("import", "--encoding"),
            ("--wait", "long", "list"), ("--wait", "-1", "list"), ("config", "set", "wait"),
            ("config", "set", "nothing", "1"), ("config", "set", "wait", "long"),
        ],
        ids=" ".join,
    )  # fmt: skip
    def test_a_usage_error_exits_2_and_says_why(self, kindlehl: Kindlehl, command: tuple[str, ...]) -> None:
        """On standard error, without a traceback."""
        done = kindlehl(*command)
        complaint(done, 2)
        assert done.out == ""
        assert not list(kindlehl.home.iterdir())

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            (("serach", "x"), "There is no command `serach`. Did you mean `search`?"),
            (("db", "pth"), "There is no command `db pth`. Did you mean `path`?"),
            (("list", "--jsn"), "There is no option `--jsn`. Did you mean `--json`?"),
            (("show",), "`kindlehl show` needs ID.\n  For example: kindlehl show "),
            (("list", "--limit", "many"), "--limit does not take this: 'many' is not a whole number."),
            (("list", "--limit", "-1"), "--limit does not take this: -1 is not 0 or more."),
            (("list", "--json=3"), "The option --json takes no value."),
            (("import", "--encoding"), "The option --encoding needs a value."),
            (("trash", "list", "extra"), "`kindlehl trash list` does not know what to do with `extra`."),
            (("-q",), "Missing command."),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
    )
    def test_it_is_said_in_the_voice_of_all_errors(
        self, kindlehl: Kindlehl, command: tuple[str, ...], said: str
    ) -> None:
        """A sentence that names what was typed, and what was probably meant."""
        assert said in complaint(kindlehl(*command), 2)

    def test_an_unknown_format_is_refused_with_the_list_of_formats(self, reader: Kindlehl) -> None:
        """The hint names those there are."""
        done = reader("export", "docx")
        assert done.code in (1, 2)
        assert "markdown" in complaint(done, done.code)

    def test_an_unknown_encoding_is_refused(self, kindlehl: Kindlehl) -> None:
        """It is no bug of ours, and nothing is imported."""
        done = kindlehl("import", SAMPLE, "--encoding", "klingon")
        complaint(done, done.code)
        assert done.code in (1, 2)


class TestWhichLibrary:
    """Flag before environment before default."""

    def test_the_default_is_in_the_data_directory(self, kindlehl: Kindlehl) -> None:
        """XDG_DATA_HOME, or ~/.local/share where it is not set."""
        assert kindlehl.ok("db", "path") == f"{kindlehl.library}\n"
        default = kindlehl.home / ".local" / "share" / "kindlehl" / "library.db"
        assert kindlehl.ok("db", "path", env={"XDG_DATA_HOME": ""}) == f"{default}\n"

    def test_flag_before_environment_before_default(self, kindlehl: Kindlehl) -> None:
        """`--library` may stand before or after the command; after it wins."""
        env = {"KINDLEHL_LIBRARY": str(kindlehl.home / "env.db")}
        a, b = kindlehl.home / "a.db", kindlehl.home / "b.db"
        assert kindlehl.ok("db", "path", env=env) == f"{kindlehl.home / 'env.db'}\n"
        assert kindlehl.ok("--library", a, "db", "path", env=env) == f"{a}\n"
        assert kindlehl.ok("db", "path", "--library", a, env=env) == f"{a}\n"
        assert kindlehl.ok("--library", b, "db", "path", "--library", a, env=env) == f"{a}\n"
        assert kindlehl.ok("db", "path", env={"KINDLEHL_LIBRARY": ""}) == f"{kindlehl.library}\n"
        assert kindlehl.ok("db", "path", env={"KINDLEHL_LIBRARY": "~/x.db"}) == f"{kindlehl.home / 'x.db'}\n"

    def test_each_library_is_its_own(self, kindlehl: Kindlehl) -> None:
        """What goes into one is not in the other, and the default is not made."""
        a, b = kindlehl.home / "deep" / "a.db", kindlehl.home / "b.db"
        kindlehl.ok("import", written(kindlehl.home / "1.txt", highlight("One.")), "--library", a)
        kindlehl.ok("import", written(kindlehl.home / "2.txt", highlight("Two.")), env={"KINDLEHL_LIBRARY": str(b)})
        assert "One." in kindlehl.ok("list", "--library", a)
        assert "Two." not in kindlehl.ok("list", "--library", a)
        assert "Two." in kindlehl.ok("--library", b, "list")
        assert not kindlehl.library.exists()

    def test_a_path_with_signs_that_mean_something_to_sqlite_is_just_a_path(self, kindlehl: Kindlehl) -> None:
        """A library is opened by URI: `?`, `#` and `%` in a name must not be taken for parts of one."""
        for name in ("what?mode=memory", "a#b.db", "100%41.db", "a b'c\"d.db", "草枕.db", "-.db"):
            path = kindlehl.home / "odd" / name
            kindlehl.ok("import", SAMPLE, "--library", path)
            assert path.is_file()
            assert kindlehl.ok("list", "--plain", "--library", path).count("\n") == 18
        assert len(list((kindlehl.home / "odd").iterdir())) == 6


class TestCare:
    """`db`."""

    def test_a_rebuild_gives_the_same_list(self, kindlehl: Kindlehl) -> None:
        """Facts, passages and what is found are as before."""
        kindlehl.ok("import", SAMPLE, written(kindlehl.home / "c.txt", many(300)))
        looks = (["list", "--json", "--bookmarks"], ["books", "--json"], ["search", "the", "--json"])
        before = [kindlehl.ok(*look) for look in looks], facts(kindlehl.library), shown(kindlehl.library)
        assert "317 highlights in 19 books" in kindlehl.ok("db", "rebuild")
        after = [kindlehl.ok(*look) for look in looks], facts(kindlehl.library), shown(kindlehl.library)
        assert after == before

    def test_a_rebuild_repairs_what_was_damaged_in_the_derived_tables(self, kindlehl: Kindlehl) -> None:
        """The facts are the library; everything else can be made anew."""
        kindlehl.ok("import", SAMPLE)
        before = kindlehl.ok("list", "--json"), kindlehl.ok("search", "the", "--json")
        query_all = "DELETE FROM highlights; DELETE FROM records; INSERT INTO search (search) VALUES ('delete-all');"
        connection = sqlite3.connect(kindlehl.library)
        connection.executescript(query_all)
        connection.close()
        assert json.loads(kindlehl.ok("list", "--json"))["items"] == []
        kindlehl.ok("db", "rebuild")
        assert (kindlehl.ok("list", "--json"), kindlehl.ok("search", "the", "--json")) == before

    def test_a_rebuild_without_a_library_makes_none(self, kindlehl: Kindlehl) -> None:
        """There is nothing to make anew."""
        complaint(kindlehl("db", "rebuild"), 1)
        assert not list(kindlehl.home.iterdir())

    def test_the_file_says_what_it_is(self, reader: Kindlehl) -> None:
        """An SQLite database with our application id, so that `file` can tell."""
        assert query(reader.library, "PRAGMA application_id") == [(0x6B686C31,)]


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Kindlehl:
    """Somebody with so much that no list of it fits a pipe: books, highlights, and what was deleted and done."""
    owner = Kindlehl(tmp_path_factory.mktemp("owner") / "home")
    books = (highlight(f"In book {n}.", f"Title {n}, and what else it is about (Author {n})") for n in range(1500))
    owner.ok("import", written(owner.home / "c.txt", many(3000), *books))
    owner.ok("delete", "--where", "author:9", "--yes", "--quiet")
    return owner


class TestPipes:
    """What reads our output may stop."""

    @pytest.mark.parametrize(
        "command",
        ["list", "list --json", "list --jsonl", "list --plain", "search of --limit 9999",
         "search of --limit 9999 --json", "search of --limit 9999 --plain", "books", "books --json", "books --jsonl",
         "books --plain", "random --count 9999", "random --count 9999 --json", "trash list", "trash list --jsonl",
         "export json --to -", "export csv --to -", "export markdown --to -",
         "db backup -"],
    )  # fmt: skip
    def test_a_closed_pipe_is_quiet(self, owner: Kindlehl, command: str) -> None:
        """`kindlehl list | head -1` gives one line and nothing on stderr, however much there would have been."""
        with owner.start(*command.split()) as process:
            assert process.stdout
            assert process.stderr
            assert process.stdout.readline()
            process.stdout.close()
            err = process.stderr.read()
            assert process.wait(60) == 1
        assert err == b""

    def test_data_goes_to_standard_output_and_nothing_else_does(self, kindlehl: Kindlehl) -> None:
        """Even with an unreadable record, `--json` on standard output is one JSON document."""
        path = written(
            kindlehl.home / "c.txt", highlight("One."), "Book (A)\n- Xyzzy plugh 5-6 | frotz 1, 2\n\nW.\n=====\n"
        )
        done = kindlehl("import", path, "--json")
        assert json.loads(done.out)["schema"] == "kindlehl/import/1"
        assert "kept, but not readable yet" in done.err

    def test_there_is_a_progress_bar_on_a_terminal_only(self, kindlehl: Kindlehl) -> None:
        """A file of more than a megabyte shows one on a terminal; a pipe's stderr stays empty."""
        big = written(kindlehl.home / "c.txt", many(6000))
        assert big.stat().st_size > 1_000_000
        assert "Reading" in kindlehl.on_terminal("import", big, "-n").out
        kindlehl.ok("import", big)


INSTALLED = Path(sys.executable).with_name("kindlehl")


@pytest.mark.parametrize(
    "command",
    ["list --json", "books", "search truth --limit 1", "random --seed 1", "tag craft 45b5b5af", "undo --list"],
)
def test_a_command_loads_nothing_that_it_does_not_need(reader: Kindlehl, command: str) -> None:
    """What takes longer to import than the whole of a look at a library."""
    done = reader(*command.split(), env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.code == 0
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.err.splitlines()}
    assert "kindlehl" in loaded
    slow = (
        "rich prompt_toolkit weasyprint jinja2 tomlkit charset_normalizer sqlite_utils pydantic asyncio ssl http email"
    )
    assert not loaded & set(slow.split())


@pytest.mark.skipif(not INSTALLED.exists(), reason="only `python -m kindlehl` is installed here")
def test_the_installed_command_is_the_same_program(kindlehl: Kindlehl) -> None:
    """`kindlehl` and `python -m kindlehl`."""
    done = subprocess.run(
        [INSTALLED, "--version"], capture_output=True, text=True, env=kindlehl.environment(), timeout=60, check=True
    )
    assert done.stdout == kindlehl.ok("--version")


def test_a_working_directory_that_is_gone_harms_no_command_that_needs_none(reader: Kindlehl, tmp_path: Path) -> None:
    """A terminal left open in a folder that was deleted."""
    script = f'mkdir gone && cd gone && rmdir ../gone && "$0" -P -m kindlehl list --plain --library "{reader.library}"'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable],
        cwd=tmp_path, capture_output=True, text=True, env=reader.environment(), timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 18
