"""Correcting: the nearest words that a library holds stand for those that it does not."""

from collections.abc import Sequence

import pytest
from support.histories import import_of, record

from kindlehl.services.correcting import corrected
from kindlehl.services.querying import read
from kindlehl.store.memory import MemoryLibrary


def holding(*texts: str) -> MemoryLibrary:
    library = MemoryLibrary()
    rows = [record("highlight", "Tale", text, n, n, n, False) for n, text in enumerate(texts)]
    with library.transaction():
        library.facts.add([*rows, import_of(1, "clippings", rows)])
        library.shelf.settle()
    return library


@pytest.mark.parametrize("typed", ["eliberately", "xdeliberately", "reliberately", "edliberately"])
def test_a_slip_in_the_first_letter_is_found_without_reading_every_word(
    typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred thousand words that takes longer than all the rest of a search."""
    library = holding("to live deliberately", "to front only the essential facts")
    read_: list[str] = []
    vocabulary = library.index.vocabulary

    def noted(start: str = "") -> Sequence[tuple[str, int]]:
        read_.append(start)
        return vocabulary(start)

    monkeypatch.setattr(library.index, "vocabulary", noted)
    assert corrected(library, read(typed))[1] == {typed: "deliberately"}
    assert "" not in read_


def test_a_second_slip_is_found_among_all_words() -> None:
    """In the first letter and in another; of a short word neither."""
    library = holding("to live deliberately", "essential facts")
    assert corrected(library, read("zzliberately"))[1] == {"zzliberately": "deliberately"}
    assert corrected(library, read("zzcts"))[1] == {}


def test_of_equally_near_words_the_one_that_most_passages_hold() -> None:
    """Whatever its first letter was mistaken for."""
    library = holding("a table", "a cable", "another cable")
    assert corrected(library, read("xable"))[1] == {"xable": "cable"}
