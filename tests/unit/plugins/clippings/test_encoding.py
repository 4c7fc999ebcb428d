"""The text of a source: encodings, line ends, and what no record may hold."""

import io
from typing import BinaryIO

import pytest

from kindlehl.domain.contract import Bundle
from kindlehl.domain.errors import SourceError
from kindlehl_plugins.clippings import encoding

ENTRY = "Emma (Austen, Jane)\n- {meta}\n\n{text}\n==========\n"
ENGLISH = ENTRY.format(
    meta="Your Highlight on Location 20-21 | Added on Monday, April 18, 2016 7:30:27 AM", text="“It’s a — café”"
)
GERMAN = ENTRY.format(
    meta="Ihre Markierung bei Position 20-21 | Hinzugefügt am Montag, 18. April 2016 07:30:27", text="Größe"
)
RUSSIAN = ENTRY.format(
    meta="Ваша заметка в месте 20 | Добавлено: понедельник, 18 апреля 2016 г. в 07:30:27", text="Слово"
)
CHINESE = ENTRY.format(meta="您在位置 #20-21的标注 | 添加于 2016年4月18日星期一 上午7:30:27", text="聪明、漂亮、有钱")
JAPANESE = ENTRY.format(
    meta="位置No. 20-21のハイライト |作成日: 2016年4月18日月曜日 7:30:27", text="美しく、賢く、豊か"
)


def bundle(data: bytes, name: str | None = None) -> Bundle:
    return Bundle("My Clippings.txt", {"My Clippings.txt": lambda: io.BytesIO(data)}, name)


def read(data: bytes, name: str | None = None) -> tuple[str, list[str]]:
    source = bundle(data, name)
    return "".join(encoding.texts(source)), source.warnings


@pytest.mark.parametrize("text", [ENGLISH, GERMAN, RUSSIAN, CHINESE, JAPANESE, ""])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_without_a_word(text: str, codec: str) -> None:
    """UTF-8 with or without BOM, UTF-16 and UTF-32 with one: the same text, no warning."""
    assert read(text.encode(codec)) == (text, [])


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (ENGLISH, "cp1252"),
        (GERMAN, "cp1252"),
        (RUSSIAN, "cp1251"),
        (CHINESE, "gb18030"),
        (JAPANESE, "cp932"),
        (ENGLISH, "utf-16-le"),
        (CHINESE, "utf-16-le"),
        (RUSSIAN, "utf-16-be"),
    ],
)
def test_another_encoding_is_guessed_and_announced(text: str, codec: str) -> None:
    """The guess under which meta lines can be read wins; the reader is told that it is one."""
    found, warnings = read(text.encode(codec) * 3)
    assert found == text * 3
    assert len(warnings) == 1
    assert "a guess" in warnings[0]
    assert "--encoding" in warnings[0]


def test_a_stray_byte_is_spelled_out() -> None:
    """Damage in a file that is UTF-8 otherwise costs that byte alone, which stays visible; the reader is told."""
    data = ENGLISH.encode() * 20
    text, warnings = read(data[:-20] + b"\x92" + data[-20:])
    assert text.count("\\x92") == 1
    assert text.replace("\\x92", "") == ENGLISH * 20
    assert len(warnings) == 1
    assert "guess" not in warnings[0]


def test_a_character_cut_off_by_the_end_is_no_other_encoding() -> None:
    """A file that ends within a character is a cut file in UTF-8."""
    text, warnings = read(b"plain ASCII, then caf\xc3")
    assert (text, warnings) == ("plain ASCII, then caf\\xc3", [])


def test_the_users_word_is_law() -> None:
    """An encoding named by the user is taken without a guess or a warning."""
    assert read(RUSSIAN.encode("koi8-r"), "koi8-r") == (RUSSIAN, [])


@pytest.mark.parametrize("name", ["nonsense", "base64", "utf-8\x00", "rot13"])
def test_an_unknown_encoding_is_an_error_with_a_hint(name: str) -> None:
    """What is no encoding of text is refused in a sentence."""
    with pytest.raises(SourceError) as caught:
        read(b"x", name)
    assert caught.value.hint


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_every_line_end_becomes_a_line_feed(end: str, size: int) -> None:
    """CRLF, LF, CR and the CRCRLF of a file converted twice are one, wherever the reading is cut."""
    data = ENGLISH.replace("\n", end).encode()
    assert "".join(encoding.texts(bundle(data), size)) == ENGLISH


def test_other_line_separators_are_text() -> None:
    """U+2028, U+2029, U+0085, VT, FF and the separators of ASCII never end a line."""
    text = "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1dh\x1ei"
    assert read(text.encode())[0] == text


def test_what_cannot_be_stored_is_spelled_out() -> None:
    """NUL and lone surrogates become codes; U+FEFF goes."""
    assert read("a\ufeffb".encode() + b"c\x00d")[0] == "abc\\x00d"
    assert encoding.clean("x\ud800y") == "x\\ud800y"
    assert read(b"\xff\xfea\x00\x00\xd8b\x00")[0].encode("utf-8")


class Broken(io.BytesIO):
    """A stream whose device is pulled out."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Ten bytes, then an error."""
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().read(10)


def test_a_device_pulled_out_is_an_error_with_a_hint() -> None:
    """A source that ends half-way is said to be so, and is never taken for a short one."""
    data = ENGLISH.encode()

    def broken() -> BinaryIO:
        return Broken(data)

    with pytest.raises(SourceError) as caught:
        list(encoding.texts(Bundle("My Clippings.txt", {"My Clippings.txt": broken})))
    assert "Input/output error" in caught.value.message
    assert caught.value.hint


def test_a_file_that_cannot_be_opened_is_an_error() -> None:
    """So is one that is not there."""

    def missing() -> BinaryIO:
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(SourceError):
        list(encoding.texts(Bundle("x", {"x": missing})))
