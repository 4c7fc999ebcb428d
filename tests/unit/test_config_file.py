"""A configuration file is read as far as it can be, and changed without touching what else is in it."""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindlehl import config_file, config_keys
from kindlehl.config import CONFIG_VARIABLE, Flags, Settings, settings
from kindlehl.domain.errors import ConfigError, NotFoundError, UsageError


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "system"))


def user(tmp_path: Path, text: str) -> Path:
    return written(tmp_path / "user" / "kindlehl" / "config.toml", text)


def system(tmp_path: Path, text: str) -> Path:
    return written(tmp_path / "system" / "kindlehl" / "config.toml", text)


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


class TestPrecedence:
    """Flag, environment, user's file, system's file, default."""

    def test_each_comes_before_the_next(self, tmp_path: Path) -> None:
        """And says so."""
        flags: list[Any] = [None, 1.0]
        for flag in flags:
            for variable in ({}, {"KINDLEHL_WAIT": "2"}):
                for mine in ("", "wait = 3"):
                    for everybodys in ("", "wait = 4.5"):
                        user(tmp_path, mine)
                        system(tmp_path, everybodys)
                        found = settings(None, variable, wait=flag)
                        expected = 1 if flag else 2 if variable else 3 if mine else 4.5 if everybodys else 10
                        assert found.wait == expected
        origins = [
            settings(None, {"KINDLEHL_WAIT": "2"}, wait=1.0).setting("wait").origin,
            settings(None, {"KINDLEHL_WAIT": "2"}).setting("wait").origin,
            settings(None, {}).setting("wait").origin,
        ]
        assert origins == ["--wait", "KINDLEHL_WAIT", str(tmp_path / "user" / "kindlehl" / "config.toml")]

    def test_the_users_file_is_where_the_environment_says(self, tmp_path: Path) -> None:
        """Else in the folder that the system has for configurations."""
        other = written(tmp_path / "other.toml", "device = 'lamp'")
        assert settings(None, {CONFIG_VARIABLE: str(other)}).device == "lamp"
        assert settings(None, {}).config_file == tmp_path / "user" / "kindlehl" / "config.toml"

    def test_a_variable_that_says_no_such_thing_is_a_sentence(self) -> None:
        """It names the variable."""
        for text in ("soon", "-1", "nan", "1e9"):
            with pytest.raises(UsageError, match="KINDLEHL_WAIT"):
                _ = settings(None, {"KINDLEHL_WAIT": text}).wait

    def test_without_files_nothing_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One stat for each of the two is all: `list` starts as fast as before."""
        monkeypatch.setattr(config_file, "read", None)
        found = settings(None, {})
        assert found.library.name == "library.db"
        assert found.table("searches") == {}

    def test_where_all_is_told_the_files_are_not_looked_at(self, tmp_path: Path) -> None:
        """A broken one does not matter to a command that needs nothing of it."""
        user(tmp_path, "][")
        warnings: list[str] = []
        found = Settings(Flags(Path("/x.db"))._asdict(), {}, warnings.append)
        assert found.library == Path("/x.db")
        assert warnings == []


class TestTables:
    """Names of the reader's own."""

    def test_of_two_files_each_adds_its_entries(self, tmp_path: Path) -> None:
        """Where both have one of a name, the user's is meant, whole."""
        user(tmp_path, "[searches]\nwalks = 'walden'\n[export.vault]\nto = '~/vault'\n")
        system(tmp_path, "[searches]\nwalks = 'x'\nold = 'y'\n[export.vault]\nto = '/v'\nbook = 'z'\n[export.b]\n")
        found = settings(None, {})
        assert found.table("searches") == {"walks": "walden", "old": "y"}
        assert found.table("export.vault") == {"to": "~/vault"}
        assert [*found.table("export")] == ["vault", "b"]
        assert found.table("export.none") == found.table("none") == found.table("searches.walks") == {}


class TestProblems:
    """What cannot be used is a sentence with file, line and key; the rest is used."""

    @pytest.mark.parametrize(
        ("text", "line", "key"),
        [
            ("libary = '/x'", 1, "Did you mean library?"),
            ("# hello\n\n[backup]\nkeep = 7\n", 4, "backup.keep has to be a text"),
            ("backup.keep = 'a week'", 1, "backup.keep has to be"),
            ("[backup]\nkeep = '7d'\nkeeep = ''\n", 3, "Did you mean backup.keep?"),
            ("wait = true", 1, "wait has to be a number"),
            ("wait = inf", 1, "wait has to be a number"),
            ("[wait]\nlong = true", 1, "wait has to be a number"),
            ("device = ''", 1, "device has to be a text"),
            ("[searches]\na = 'x'\nb = 1\n", 3, "searches.b has to be a text"),
            ("searches = 'x'", 1, "searches has to be a table"),
            ("[export]\nvault = 'x'\n", 2, "export.vault has to be a table"),
            ("backup = 3", 1, "there is no key backup"),
        ],
    )
    def test_a_value_that_is_none_is_named_and_left_aside(self, tmp_path: Path, text: str, line: int, key: str) -> None:
        """Once, however many values are asked for."""
        file = user(tmp_path, text)
        warnings: list[str] = []
        found = settings(None, {}, warn=warnings.append)
        assert (found.library.name, found.backup_keep) == ("library.db", None if "7d" not in text else (7, 0, 0, 0))
        assert len(warnings) == 1
        assert f"{file}, line {line}: " in warnings[0]
        assert key in warnings[0]
        assert found.problems == warnings

    @pytest.mark.parametrize(
        "data",
        [b"library = ", b"a = 1\na = 2", b"\xff\xfe", b"x = " + b"[" * 5000, b"x = " + b"9" * 5000, b"#" * 1_000_001],
        ids=["half", "twice", "no UTF-8", "deep", "long number", "long"],
    )
    def test_a_file_that_cannot_be_read_stops_only_who_needs_it(self, tmp_path: Path, data: bytes) -> None:
        """It may name the library, and another than the one that is meant must not be used. All else goes on."""
        file = user(tmp_path, "")
        file.write_bytes(data)
        with pytest.raises(ConfigError, match="Which library is meant"):
            _ = settings(None, {}).library
        warnings: list[str] = []
        found = settings(Path("/x.db"), {}, warn=warnings.append)
        assert (found.library, found.wait, found.table("searches")) == (Path("/x.db"), 10, {})
        assert len(warnings) == 1
        assert str(file) in warnings[0]

    def test_a_folder_in_the_files_place_is_a_sentence(self, tmp_path: Path) -> None:
        """As is a pipe, which would wait for ever."""
        file = tmp_path / "user" / "kindlehl" / "config.toml"
        file.mkdir(parents=True)
        with pytest.raises(ConfigError, match="no file"):
            _ = settings(None, {}).library
        file.rmdir()
        os.mkfifo(file)
        with pytest.raises(ConfigError, match="no file"):
            _ = settings(None, {}).library

    def test_a_library_of_the_wrong_type_is_not_replaced_by_another(self, tmp_path: Path) -> None:
        """Nor is one that a system's broken file might name; the user's own file comes before that."""
        user(tmp_path, "library = 3")
        with pytest.raises(ConfigError, match="line 1"):
            _ = settings(None, {}).library
        system(tmp_path, "][")
        user(tmp_path, "library = '/mine.db'")
        assert settings(None, {}).library == Path("/mine.db")
        user(tmp_path, "")
        with pytest.raises(ConfigError, match="Which library is meant"):
            _ = settings(None, {}).library

    def test_a_relative_path_is_meant_from_the_files_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not from wherever a command is typed; a tilde is the home."""
        monkeypatch.setenv("HOME", "/home/anna")
        file = user(tmp_path, "library = 'mine.db'\nbackup.folder = '~/b'")
        found = settings(None, {})
        assert (found.library, found.backup_folder) == (file.parent / "mine.db", Path("/home/anna/b"))

    @given(st.text(max_size=40) | st.text("[]=.\"'#\n a1{},", max_size=40))
    def test_no_text_is_more_than_a_sentence(self, text: str) -> None:
        """Whatever stands in the file."""
        for sentence in config_file.problems_of(Path("c.toml"), text):
            assert sentence.startswith("c.toml")


class TestChanges:
    """`set` and `unset`."""

    def test_comments_and_order_stay(self, tmp_path: Path) -> None:
        """And what the file says besides."""
        file = user(tmp_path, "# mine\nwait = 3  # short\n\n[searches]  # of mine\nb = 'x'\n\n# the end\n")
        config_file.set_value(file, "wait", 4)
        config_file.set_value(file, "library", "/x.db")
        config_file.set_value(file, "searches.a", "y")
        config_file.set_value(file, "backup.keep", "7d")
        config_file.set_value(file, "export.vault.to", "~/v")
        text = file.read_text("utf-8")
        for kept in ("# mine\n", "wait = 4  # short\n", "[searches]  # of mine\n", "# the end\n"):
            assert kept in text
        assert tomllib.loads(text) == {
            "wait": 4, "library": "/x.db", "searches": {"b": "x", "a": "y"}, "backup": {"keep": "7d"},
            "export": {"vault": {"to": "~/v"}},
        }  # fmt: skip
        for name in ("wait", "library", "searches.a", "searches.b", "backup", "export.vault"):
            config_file.unset_value(file, name)
        assert "# mine\n" in file.read_text("utf-8")
        assert "# the end\n" in file.read_text("utf-8")
        assert settings(None, {}).table("export") == {}

    def test_what_is_not_set_cannot_be_unset(self, tmp_path: Path) -> None:
        """Nor in a file that is not there."""
        file = user(tmp_path, "wait = 3")
        for name in ("device", "wait.long", "searches.a"):
            with pytest.raises(NotFoundError):
                config_file.unset_value(file, name)
        with pytest.raises(NotFoundError):
            config_file.unset_value(tmp_path / "none.toml", "wait")
        assert not (tmp_path / "none.toml").exists()

    @pytest.mark.parametrize(
        ("text", "name", "value"),
        [("][", "wait", 3), ("", "wait", "x"), ("", "nothing", 1), ("", "searches.a.b", "x"), ("wait = 3", "wait.x", 1),
         ("a = 1\na = 2", "wait", 3), ("[backup]\nkeep = '7d'", "backup", "x")],
    )  # fmt: skip
    def test_what_would_not_be_valid_changes_nothing(self, tmp_path: Path, text: str, name: str, value: object) -> None:
        """A sentence, and the file byte for byte as it was."""
        file = user(tmp_path, text)
        with pytest.raises(ConfigError):
            config_file.set_value(file, name, value)
        assert file.read_text("utf-8") == text
        assert [*file.parent.iterdir()] == [file]

    def test_a_link_stays_a_link_and_permissions_stay(self, tmp_path: Path) -> None:
        """Many keep their configuration in a repository. A new file is the reader's own to read."""
        real = written(tmp_path / "dotfiles" / "kindlehl.toml", "wait = 3\n")
        real.chmod(0o640)
        link = tmp_path / "link.toml"
        link.symlink_to(real)
        config_file.set_value(link, "wait", 4)
        assert link.is_symlink()
        assert real.read_text("utf-8") == "wait = 4\n"
        assert stat.S_IMODE(real.stat().st_mode) == 0o640
        config_file.set_value(tmp_path / "deep" / "new.toml", "wait", 4)
        assert stat.S_IMODE((tmp_path / "deep" / "new.toml").stat().st_mode) == 0o600

    @given(
        st.dictionaries(
            st.sampled_from(["device", "library", "backup.folder"]), st.text("ab\"'\\ é", min_size=1).map("x".__add__)
        ),
        st.lists(st.tuples(st.from_regex(r"[a-z0-9_-]{1,6}", fullmatch=True), st.text(max_size=9)), max_size=4),
    )
    def test_what_is_set_is_what_is_read(self, values: dict[str, str], searches: list[tuple[str, str]]) -> None:
        """In any order, with any text."""
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "config.toml"
            file.write_text("# first\n[searches]\n# second\n[export.a]\nto = 'b'\n", "utf-8")
            for name, value in [*searches, *values.items()]:
                config_file.set_value(file, name if name in values else f"searches.{name}", value)
            found = config_file.read(file)
            assert not found.problems
            assert found.values["searches"] == dict(searches)
            assert "# first" in file.read_text("utf-8")
            for name, value in values.items():
                read = found.values[name]
                assert read == (value if config_keys.KEYS[name].kind is config_keys.TEXT else str(Path(folder) / value))


class TestText:
    """Values as a shell gives them."""

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("wait", "5", 5), ("wait", "2.5", 2.5), ("library", "~/x.db", "~/x.db"), ("searches.a", "true", "true"),
            ("export.v.front", "true", True), ("export.v.n", "3", 3), ("export.v.books", '["a", "b"]', ["a", "b"]),
            ("export.v.to", "~/v", "~/v"), ("export.v.to", "3 books", "3 books"), ("export.v.to", "truely", "truely"),
        ],
    )  # fmt: skip
    def test_a_value_is_of_its_keys_type(self, name: str, text: str, value: object) -> None:
        """In tables of a reader's own: as TOML writes it, else a text."""
        assert config_keys.value_of(name, text) == value

    @pytest.mark.parametrize(
        ("name", "text"),
        [("wait", "long"), ("backup.keep", "7"), ("device", ""), ("colour", "red"), ("searches", "x"),
         ("export.v", "x"), ("searches.a", "a\nb"), ("device", "\x1b[31m"), ("device", "\udc80")],
    )  # fmt: skip
    def test_what_is_none_is_a_sentence(self, name: str, text: str) -> None:
        """A key that there is not, a value that is none, and signs that could command a terminal."""
        with pytest.raises(UsageError):
            config_keys.value_of(name, text)
