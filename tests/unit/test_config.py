"""Where things are: flag before environment before default."""

from pathlib import Path

import platformdirs
import pytest

from kindlehl.config import LIBRARY_VARIABLE, settings
from kindlehl.domain.errors import UsageError


def test_the_flag_comes_before_the_environment() -> None:
    """What was typed now is meant now."""
    assert settings(Path("/a.db"), {LIBRARY_VARIABLE: "/b.db"}).library == Path("/a.db")


def test_the_environment_comes_before_the_default() -> None:
    """And an empty variable says nothing."""
    assert settings(None, {LIBRARY_VARIABLE: "/b.db"}).library == Path("/b.db")
    assert settings(None, {LIBRARY_VARIABLE: ""}).library == settings(None, {}).library


def test_the_default_is_where_this_system_keeps_data() -> None:
    """A folder of our own in it."""
    assert settings(None, {}).library == Path(platformdirs.user_data_dir("kindlehl", appauthor=False)) / "library.db"


def test_a_tilde_is_the_readers_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell does not expand it in a variable's value or after an equals sign."""
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.setenv("USERPROFILE", "/home/anna")
    assert settings(Path("~/x.db"), {}).library == Path("/home/anna/x.db")
    assert settings(None, {LIBRARY_VARIABLE: "~/y.db"}).library == Path("/home/anna/y.db")


def test_a_home_that_does_not_exist_is_a_sentence() -> None:
    """Not a folder of that name."""
    with pytest.raises(UsageError, match="nobody-of-this-name"):
        _ = settings(Path("~nobody-of-this-name/x.db"), {}).library


def test_what_may_be_lost_lies_apart_from_the_library() -> None:
    """A backup of the library need not hold it, and it does not follow the flag."""
    state = settings(Path("/a.db"), {}).state
    assert state == Path(platformdirs.user_state_dir("kindlehl", appauthor=False))
    assert state == settings(None, {}).state
