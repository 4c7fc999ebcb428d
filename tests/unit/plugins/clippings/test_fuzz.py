"""Whatever bytes come: no exception, nothing lost, nothing that cannot be stored."""

import io
from functools import partial
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kindlehl.domain.contract import Bundle
from kindlehl.domain.facts import Record
from kindlehl_plugins.clippings import ClippingsImporter, encoding, frame

DATA = Path(__file__).parents[3] / "data" / "clippings"
SEEDS = [path.read_bytes() for path in sorted(DATA.glob("*.txt"))]
SCRAPS = [
    b"==========",
    b"\n==========\n",
    b"\r\n",
    b"\r",
    b"\n\n",
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"\xe2\x80\xa8",
    b"\n- 1 | 2\n",
    b"- Your Highlight on Location 1-2 | Added on ",
    b" <You have reached the clipping limit for this item>",
    b"(",
    b")",
    b"\xd9\xa3",
]


def bundle(data: bytes) -> Bundle:
    return Bundle("My Clippings.txt", {"My Clippings.txt": partial(io.BytesIO, data)})


def read(data: bytes) -> list[Record]:
    return list(ClippingsImporter().read(bundle(data)))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A fixture with bytes changed, pieces cut out, and scraps or pieces of others put in."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["byte", "cut", "scrap", "splice", "end"])):
            case "byte" if place < len(data):
                data[place] = draw(st.integers(0, 255))
            case "cut":
                del data[place : place + draw(st.integers(1, 200))]
            case "scrap":
                data[place:place] = draw(st.sampled_from(SCRAPS))
            case "splice":
                other = draw(st.sampled_from(SEEDS))
                start = draw(st.integers(0, len(other)))
                data[place:place] = other[start : start + draw(st.integers(0, 400))]
            case _:
                del data[max(place, 1) :]
    return bytes(data)


def assert_sound(data: bytes) -> None:
    records = read(data)
    assert records == read(data)
    text = "".join(encoding.texts(bundle(data)))
    for record in records:
        strings = [record.raw_title, record.title, record.author or "", record.text, record.page or "", record.at or ""]
        joined = "".join(strings)
        joined.encode("utf-8")
        assert "\x00" not in joined
        assert "\ufeff" not in joined
        assert (record.reason is None) is (record.kind != "unreadable")
        assert 1 <= record.line <= text.count("\n") + 1
        assert (record.location_start or 0) <= (record.location_end or 0)
    # Every letter between the separators is in exactly one entry.
    blocks = list(frame.blocks(encoding.texts(bundle(data))))
    assert len(blocks) == len(records)
    kept = "".join(part for block in blocks for part in block[1:4])
    assert letters(kept) == letters(text)


def letters(text: str) -> str:
    """What must be kept: all but white space between entries and the sign that separators are made of."""
    return text.translate(dict.fromkeys(map(ord, "=\n\t ")))


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_mutated_files_are_read_whole(data: bytes) -> None:
    """Changed, cut and spliced fixtures keep every letter, in records that can be stored."""
    assert_sound(data)


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text(), st.text())
def test_any_unicode_is_read_whole(title: str, meta: str, body: str) -> None:
    """Any text may stand in any place of an entry."""
    for line in (meta, f"- {meta}", f"- Your Highlight on page {meta} | Location {body} | Added on {title}"):
        text = f"{title}\n{line}\n\n{body}\n==========\n"
        assert_sound(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_are_read(data: bytes) -> None:
    """Bytes of no kind at all raise nothing, whether they are asked about or read."""
    read(data)
    ClippingsImporter().claims(bundle(data))
    ClippingsImporter().claims(Bundle("x", {"x": partial(io.BytesIO, data)}))


@settings(max_examples=150, deadline=None)
@given(mutated(), st.integers(1, 400), st.integers(60, 500))
def test_where_the_reading_is_cut_makes_no_difference(data: bytes, size: int, limit: int) -> None:
    """Reading in chunks of any size gives the same entries, within any limit."""
    whole = list(frame.blocks(["".join(encoding.texts(bundle(data)))], limit))
    assert list(frame.blocks(encoding.texts(bundle(data), size), limit)) == whole


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_characters="\r\n\ufeff", codec="utf-8"), max_size=200))
def test_line_ends_and_bom_change_no_id(body: str) -> None:
    """A record is the same under CRLF, LF, a BOM or none."""
    text = f"Emma\n- Your Highlight on Location 1-2 | Added on x\n\n{body}\n==========\n"
    records = read(text.encode())
    assert records == read(text.replace("\n", "\r\n").encode()) == read(text.encode("utf-8-sig"))
