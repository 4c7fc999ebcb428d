"""What a typed passage has from the beginning."""

from collections.abc import Iterator
from contextlib import closing
from typing import NoReturn

import pytest

from kindlehl.ports import Library
from kindlehl.services import adding
from kindlehl.store.library import empty_library


@pytest.fixture
def library() -> Iterator[Library]:
    with closing(empty_library()) as library:
        yield library


def test_whoever_names_no_tag_waits_for_no_look_at_every_passage(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which takes longer the more there are."""

    def looked() -> NoReturn:
        pytest.fail("every passage was looked at")

    monkeypatch.setattr(library.shelf, "tags", looked)
    assert adding.said(library, "a thought", None, iter(())) == {"note": "a thought"}


def test_tags_are_named_once_from_whatever_they_come(library: Library) -> None:
    """And a `#` is none of their letters."""
    assert adding.said(library, None, None, iter(("#craft", "to reread"))) == {"tag:craft": True, "tag:to reread": True}
