"""Front matter is merged key by key: the reader's stays byte for byte, and two YAML parsers read the result."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from kindlehl.domain.front_matter import merge, of

BASE = {"title": 'title: "Walden"', "highlights": "highlights: 2", "tags": 'tags:\n  - "a"\n  - "b"'}
OURS = {**BASE, "highlights": "highlights: 3", "tags": 'tags:\n  - "a"\n  - "c"', "last": "last: 2024-01-02"}


def merged(*rows: str) -> list[str]:
    """The rows of a front matter after a merge."""
    lines, _ = merge(BASE, [f"{row}\n" for row in ("---", *rows, "---")], OURS, "\n")
    return [line.rstrip("\n") for line in lines[1:-1]]


def read(rows: list[str]) -> object:
    """What two parsers agree that these rows say; an error of either is raised."""
    text = "\n".join(rows) + "\n"
    one = yaml.safe_load(text)
    two = YAML(typ="safe", pure=True).load(text)
    assert one == two
    return one


WRITTEN = ("title: \"Walden\"", "highlights: 2", "tags:", '  - "a"', '  - "b"')  # fmt: skip


def test_what_is_as_we_wrote_it_is_updated_and_what_is_new_comes() -> None:
    """In its place."""
    assert merged(*WRITTEN) == [
        'title: "Walden"', "highlights: 3", "tags:", '  - "a"', '  - "c"', "last: 2024-01-02"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        (("title: Mine", *WRITTEN[1:]), "title: Mine"),
        ((*WRITTEN, "# mine", "rating:   5 # of 5"), "rating:   5 # of 5"),
        ((*WRITTEN, "mine: |", "  a", "", "  b"), "  b"),
        (("'my key': [x, 'y, z']", *WRITTEN), "'my key': [x, 'y, z']"),
    ],
)
def test_the_readers_keys_stay_as_they_are(rows: tuple[str, ...], kept: str) -> None:
    """Values, comments, order and quotes."""
    out = merged(*rows)
    assert kept in out
    assert "highlights: 3" in out
    read(out)


def test_a_key_that_the_reader_removed_does_not_come_back() -> None:
    """Though we have a new value for it."""
    assert not [row for row in merged(WRITTEN[0], *WRITTEN[2:]) if row.startswith("highlights")]


@pytest.mark.parametrize(
    ("rows", "tags"),
    [
        (("tags:", '  - "a"', '  - "b"', "  - mine"), ["a", "mine", "c"]),
        (("tags:", "- b # theirs", "- mine"), ["mine", "c"]),
        (("tags: [a, b, mine]",), ["a", "mine", "c"]),
        (("tags: []",), ["c"]),
        (("tags: [b]",), ["c"]),
        (("tags:",), ["c"]),
        (("tags: mine",), "mine"),
    ],
)
def test_tags_are_merged_as_a_set(rows: tuple[str, ...], tags: object) -> None:
    """The reader's additions and removals stay; ours come and go, in the form in which the list is written."""
    found = read(merged(*WRITTEN[:2], *rows))
    assert isinstance(found, dict)
    assert found["tags"] == tags


@pytest.mark.parametrize(
    "row", ["mine", "mine: [", "mine: a: b", "\tx: 1", 'mine: "x', "title: 7", "- x", "  x", "a: b\x07", "*x: 1"]
)
def test_what_is_no_yaml_is_left_alone(row: str) -> None:
    """As a whole: not a byte changes."""
    rows = [WRITTEN[0], row, *WRITTEN[1:]]
    if row != "  x":
        with pytest.raises((yaml.YAMLError, YAMLError, AssertionError)):
            read(rows)
    assert merged(*rows) == rows


LINES = st.sampled_from(
    ["x: 1", "y: 'a'", 'z: "b"', "# c", "", "l: [a, b]", "l2:", "  - a", "- b", "  deep: 1", "m: |", "  text", "n: a b",
     "o: a #c", "p: 'it''s'", "q: a: b", "r", "tags: [x]", "tags:", "  - 'b'", "s: -1", "t: - x", "u: ?", "v: {a: b}",
     "w: 2024-01-01", "é: ü", "title: Mine", "aa: http://b.c", "bb: a[0]", "cc: \"a\\n\"", "dd: \"\\q\"", "ee: !x y"]
)  # fmt: skip


@given(st.lists(st.one_of(LINES, st.sampled_from(WRITTEN)), max_size=12))
def test_what_two_parsers_read_before_they_read_after(rows: list[str]) -> None:
    """And every line that is not ours is there as it was."""
    out = merged(*rows)
    try:
        before = read(rows)
    except (yaml.YAMLError, YAMLError, AssertionError, TypeError):
        return
    after = read(out)
    theirs = [row for row in rows if row not in WRITTEN and "tags" not in row and not row.lstrip().startswith("- ")]
    assert [row for row in out if row in theirs] == theirs
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() - {*BASE, "tags"}:
            assert after[key] == before[key]


def test_our_own_front_matter_is_of_the_form_that_is_merged() -> None:
    """Key by key, with the lines of each."""
    assert of("---\n" + "".join(f"{text}\n" for text in BASE.values()) + "---\n") == BASE
