"""Title lines: title and author."""

import pytest

from kindlehl_plugins.clippings import title


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Emma (Austen, Jane)", ("Emma", "Austen, Jane")),
        ("Handbuch (German Edition) (Amazon)", ("Handbuch (German Edition)", "Amazon")),
        ("Handbuch (Amazon (Editors))", ("Handbuch", "Amazon (Editors)")),
        ("飘（上下） (名著) ((美)米切尔)", ("飘（上下） (名著)", "(美)米切尔")),
        ("(Handbuch (German Edition) (Amazon))", ("(Handbuch (German Edition) (Amazon))", None)),
        ("Lean Architecture  ", ("Lean Architecture", None)),
        ("一本书（作者）", ("一本书（作者）", None)),
        ("Mortal Questions (Thomas Nagel;)", ("Mortal Questions", "Thomas Nagel")),
        ("Focus (Daniel Goleman;Richard Davidson)", ("Focus", "Daniel Goleman;Richard Davidson")),
        ("Livre (Inconnu(e))", ("Livre", "Inconnu(e)")),
        ("Book (Unknown)", ("Book", "Unknown")),
        ("Smiles :) (Doe, Jane)", ("Smiles :)", "Doe, Jane")),
        ("Unbalanced) (no :) end)", ("Unbalanced) (no :) end)", None)),
        ("Open (Doe, Jane", ("Open (Doe, Jane", None)),
        ("Permanent Record - Edward Snowden", ("Permanent Record - Edward Snowden", None)),
        ("Empty ()", ("Empty", None)),
        ("", ("", None)),
        (")", (")", None)),
        (")" * 2000, (")" * 2000, None)),
    ],
)
def test_the_author_is_the_last_balanced_group(line: str, expected: tuple[str, str | None]) -> None:
    """Series and editions stay in the title; a hyphen is never taken for the start of an author."""
    assert title.split(line) == expected
