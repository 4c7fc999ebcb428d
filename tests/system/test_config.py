"""Configuration at the command line: shown with its origin, changed with care, and in nobody's way."""

import json
import os
from pathlib import Path

import pytest
from support.cli import SAMPLE, Kindlehl, Result, bound_by_permissions, complaint, disk, fill, tree, written


def file_of(kindlehl: Kindlehl) -> Path:
    return kindlehl.home / "config" / "kindlehl" / "config.toml"


def configured(kindlehl: Kindlehl, text: str) -> Path:
    return written(file_of(kindlehl), text)


class TestShow:
    """`config path` and `config show`."""

    def test_nothing_is_made_by_looking(self, kindlehl: Kindlehl) -> None:
        """Neither a folder nor a file."""
        assert kindlehl.ok("config", "path") == f"{file_of(kindlehl)}\n"
        assert "wait = 10" in kindlehl.ok("config", "show")
        assert not list(kindlehl.home.iterdir())

    def test_the_origin_of_each_value_is_told(self, kindlehl: Kindlehl) -> None:
        """Flag, environment, file, default; for programs too."""
        configured(kindlehl, "wait = 3\ndevice = 'lamp'\n[searches]\nwalks = 'walden'\n[export.v]\nn = 1\n")
        env = {"KINDLEHL_WAIT": "4"}
        document = json.loads(kindlehl.ok("--library", "/x.db", "config", "show", "--json", env=env))
        assert document["schema"] == "kindlehl/config/1"
        found = {item["key"]: (item["value"], item["origin"]) for item in document["items"]}
        file = str(file_of(kindlehl))
        assert found == {
            "library": ("/x.db", "--library"), "wait": (4, "KINDLEHL_WAIT"), "device": ("lamp", file),
            "backup.folder": (str(kindlehl.library.parent / "backups"), "default"), "backup.keep": (None, "default"),
            "searches.walks": ("walden", file), "export.v": ({"n": 1}, file),
        }  # fmt: skip
        shown = kindlehl.ok("config", "show", "--origin", env=env)
        assert f"device = lamp\n  {file}\n" in shown
        assert "wait = 4\n  KINDLEHL_WAIT\n" in shown

    def test_no_value_commands_the_terminal(self, kindlehl: Kindlehl) -> None:
        """A line for each, which the terminal breaks: paths can be copied."""
        configured(kindlehl, '[searches]\nlong = "' + "many words " * 20 + '\\u001b[31m\\n"\n')
        done = kindlehl.on_terminal("config", "show", columns=40)
        assert done.code == 0
        assert done.out.count("\n") == 6
        assert "\x1b" not in done.out

    def test_a_broken_file_is_shown_as_far_as_it_goes(self, kindlehl: Kindlehl) -> None:
        """Here one sees what is wrong, so this stops at nothing."""
        configured(kindlehl, "wait = 3\nlibrary = \n")
        done = kindlehl("config", "show", "--origin")
        assert done.code == 0
        assert "wait = 10" in done.out
        assert "Which library is meant cannot be told" in " ".join(done.out.split())


class TestUse:
    """Other commands and the file."""

    def test_the_library_is_where_the_file_says(self, kindlehl: Kindlehl) -> None:
        """And environment and flag come before it."""
        path = kindlehl.home / "elsewhere.db"
        configured(kindlehl, f"library = '{path}'\n")
        kindlehl.ok("import", SAMPLE)
        assert path.is_file()
        assert not kindlehl.library.exists()
        assert kindlehl.ok("db", "path", env={"KINDLEHL_LIBRARY": "/b.db"}) == "/b.db\n"
        assert kindlehl.ok("db", "path", "--library", "/a.db") == "/a.db\n"

    def test_a_key_that_there_is_not_is_told_and_stops_nothing(self, kindlehl: Kindlehl) -> None:
        """On standard error, with file and line; standard output is as ever."""
        expected = kindlehl.ok("import", SAMPLE, "--json") and kindlehl.ok("list", "--json")
        file = configured(kindlehl, "\nlibary = 'x'\n")
        done = kindlehl("list", "--json")
        assert (done.code, done.out) == (0, expected)
        assert done.err == f"{file}, line 2: there is no key libary. Did you mean library?\n"

    def test_a_broken_file_never_leads_to_another_library(self, kindlehl: Kindlehl) -> None:
        """Where it might name one: a sentence, exit 1, and nothing is made. Where the library is named, all goes on."""
        configured(kindlehl, "library = \n")
        before = tree(kindlehl.home)
        for command in (["list"], ["import", SAMPLE], ["db", "path"], ["export", "csv", "--to", "-"]):
            assert str(file_of(kindlehl)) in complaint(kindlehl(*command), 1)
        assert tree(kindlehl.home) == before
        done = kindlehl("import", SAMPLE, "--library", kindlehl.library)
        assert done.code == 0
        assert done.err.startswith(str(file_of(kindlehl)))  # it wanted to know how long to wait
        assert kindlehl.ok("list", "--plain", env={"KINDLEHL_LIBRARY": str(kindlehl.library)}).count("\n") == 18
        for command in (["--version"], ["list", "-h"], ["config", "path"]):
            kindlehl.ok(*command)

    def test_a_file_that_may_not_be_read_is_a_sentence(self, kindlehl: Kindlehl) -> None:
        """As is a folder that may not be entered."""
        file = configured(kindlehl, "wait = 3\n")
        person = Kindlehl(kindlehl.home, prefix=bound_by_permissions())
        file.chmod(0)
        assert "Permission denied" in complaint(person("list"), 1)
        file.chmod(0o600)
        file.parent.chmod(0)
        try:
            assert "Permission denied" in complaint(person("list"), 1)
        finally:
            file.parent.chmod(0o700)


class TestSet:
    """`config set` and `config unset`."""

    def test_what_is_set_holds_until_it_is_unset(self, kindlehl: Kindlehl) -> None:
        """Quietly; the file holds what a person would have written."""
        kindlehl.ok("config", "set", "wait", "3")
        kindlehl.ok("config", "set", "searches.walks", "walden -winter")
        assert "wait = 3" in kindlehl.ok("config", "show")
        assert file_of(kindlehl).read_text("utf-8") == 'wait = 3\n\n[searches]\nwalks = "walden -winter"\n'
        kindlehl.ok("config", "unset", "wait")
        assert "wait = 10" in kindlehl.ok("config", "show")
        complaint(kindlehl("config", "unset", "wait"), 1)

    def test_a_file_that_cannot_be_read_is_not_written_over(self, kindlehl: Kindlehl) -> None:
        """It may hold more than a mistake."""
        configured(kindlehl, "# precious\nlibrary = \n")
        before = tree(kindlehl.home)
        complaint(kindlehl("config", "set", "wait", "3"), 1)
        complaint(kindlehl("config", "unset", "library"), 1)
        assert tree(kindlehl.home) == before

    def test_a_full_disk_leaves_the_file_as_it_was(self, kindlehl: Kindlehl, tmp_path: Path) -> None:
        """And nothing beside it."""
        with disk(tmp_path / "small", "64k") as small:
            file = written(small / "config.toml", "wait = 3\n")
            fill(small)
            env = {"KINDLEHL_CONFIG": str(file)}
            complaint(kindlehl("config", "set", "device", "lamp", env=env), 1)
            assert file.read_text("utf-8") == "wait = 3\n"
            assert sorted(path.name for path in small.iterdir()) == ["ballast", "config.toml"]


class TestEdit:
    """`config edit`."""

    @pytest.fixture
    def editor(self, kindlehl: Kindlehl) -> "Editor":
        """An editor that does what a test tells it."""
        return Editor(kindlehl)

    def test_what_is_valid_is_put_in_place(self, kindlehl: Kindlehl, editor: "Editor") -> None:
        """A first file begins with a word on what may stand in it; a second edit begins with the first's text."""
        done = editor('grep -q "kindlehl config show" "$1"; echo "wait = 3" >> "$1"')
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("Saved: ")
        assert file_of(kindlehl).read_text("utf-8").endswith("wait = 3\n")
        editor('sed -i s/3/4/ "$1"')
        assert file_of(kindlehl).read_text("utf-8").endswith("wait = 4\n")

    @pytest.mark.parametrize("text", ["wait = long", "][", "wat = 1"])
    def test_what_is_not_valid_changes_nothing_and_is_not_lost(
        self, kindlehl: Kindlehl, editor: "Editor", text: str
    ) -> None:
        """The sentence names the draft, so that nobody has to write it twice."""
        file = configured(kindlehl, "wait = 3\n")
        done = editor(f'echo "{text}" >> "$1"')
        assert done.code == 1
        assert file.read_text("utf-8") == "wait = 3\n"
        draft = Path(next(line for line in done.err.split("\n") if "What you wrote" in line).split(" is in ")[1])
        assert draft.read_text("utf-8") == f"wait = 3\n{text}\n"

    @pytest.mark.parametrize("script", ["exit 3", "kill -9 $$", 'rm "$1"; exit 1'])
    def test_an_editor_that_fails_changes_nothing(self, kindlehl: Kindlehl, editor: "Editor", script: str) -> None:
        """Whatever it did to its copy."""
        file = configured(kindlehl, "wait = 3\n")
        assert "ended with an error" in complaint(editor(script), 1)
        assert file.read_text("utf-8") == "wait = 3\n"
        assert not list(editor.temporary.iterdir())

    def test_an_editor_that_changes_nothing_leaves_everything_as_it_is(
        self, kindlehl: Kindlehl, editor: "Editor"
    ) -> None:
        """Not even a first file is made."""
        for script in ("true", 'rm "$1"'):
            assert editor(script).code == 0
        assert not file_of(kindlehl).exists()
        assert not list(editor.temporary.iterdir())

    def test_a_file_that_was_changed_meanwhile_is_left_as_it_is_now(self, kindlehl: Kindlehl, editor: "Editor") -> None:
        """Two editors at once: the first to save wins, the other's text is kept."""
        file = configured(kindlehl, "wait = 3\n")
        done = editor(f'echo "wait = 5" > "{file}"; echo "wait = 4" > "$1"')
        assert done.code == 1
        assert "meanwhile" in done.err
        assert "What you wrote is in" in done.err
        assert file.read_text("utf-8") == "wait = 5\n"

    @pytest.mark.parametrize("named", ["/does/not/exist", "'", " "])
    def test_an_editor_that_there_is_not_is_a_sentence(self, kindlehl: Kindlehl, named: str) -> None:
        """It says how to name another."""
        done = kindlehl("config", "edit", env={"VISUAL": named})
        assert "EDITOR=" in complaint(done, 1)
        assert not file_of(kindlehl).exists()


class Editor:
    """`config edit` with a shell script as editor."""

    def __init__(self, kindlehl: Kindlehl) -> None:
        self._kindlehl = kindlehl
        self.temporary = kindlehl.home / "tmp"
        self.temporary.mkdir()

    def __call__(self, script: str) -> Result:
        """Edit as the script does; `$1` is the copy."""
        path = self._kindlehl.home / "editor"
        path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        path.chmod(0o700)
        return self._kindlehl("config", "edit", env={"VISUAL": str(path), "TMPDIR": str(self.temporary)})


def test_a_configuration_in_the_environment_is_looked_for_nowhere_else(kindlehl: Kindlehl) -> None:
    """`KINDLEHL_CONFIG` names the file, there or not."""
    configured(kindlehl, "wait = 3\n")
    env = {"KINDLEHL_CONFIG": os.devnull + "-none"}
    assert "wait = 10" in kindlehl.ok("config", "show", env=env)
