"""The bytes of a source as clean text: in which encoding it is, and what no record may hold."""

import codecs
import re
from collections.abc import Iterable, Iterator

from kindlehl.domain.contract import Bundle
from kindlehl.domain.errors import SourceError
from kindlehl_plugins.clippings.meta import MetaReader

CHUNK = 256 * 1024
"""Bytes read at a time."""

_SAMPLE = 32 * 1024  # bytes from the file's start, and as many from its first odd byte, to guess an encoding from
_LONGEST_LINE = 64 * 1024  # characters; a line up to here stays in one piece of text

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = ("utf-8", "utf-16-le", "utf-16-be")
_USUAL = ("cp1252", "gb18030", "cp932", "cp1251", "utf-16-le", "utf-16-be", "latin-1")

_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")  # what "surrogateescape" makes of a byte that is not UTF-8
_SURROGATE = re.compile("[\ud800-\udfff]")
_CARRIAGE_RETURN = re.compile(r"\r+\n|\r")
_PADDED_SEPARATOR = re.compile(r"^(==========)[ \t]+$", re.MULTILINE)


def texts(bundle: Bundle, chunk: int = CHUNK) -> Iterator[str]:
    """The text of the bundle's one file, piece by piece; a piece ends with a line unless the line is very long.

    Line ends are `\\n`, whether they were CRLF, LF, CR or the CRCRLF of a file converted twice. U+FEFF is gone. What
    SQLite and UTF-8 do not take is spelled out, so nothing is lost: NUL as `\\x00`, a byte that the encoding does not
    have as `\\x92`, a lone surrogate as `\\ud800`. White space after a separator is gone.

    Raises `SourceError` if the file cannot be read to its end, or not in the encoding that the user gave.
    """
    decoder = _decoder(bundle.encoding or _detect(bundle))
    held = ""
    for data in _pieces(bundle, chunk):
        try:
            held += decoder.decode(data, final=not data)
        except UnicodeError:
            message = f"{bundle.name} cannot be read as {bundle.encoding}."
            raise SourceError(message, hint="Leave out --encoding, or name another one.") from None
        end = held.rfind("\n") + 1 if data else len(held)
        if not end and len(held) > _LONGEST_LINE:
            end = len(held.rstrip("\r"))
        if end:
            yield clean(held[:end])
            held = held[end:]


def sample(data: bytes) -> str:
    """The start of a file as clean text, as well as it can be told from the start alone."""
    name = _by_bom(data) or _by_content(data, [data])[0]
    return clean(data.decode(name, "replace"))


def clean(text: str) -> str:
    """The text as `texts` promises it."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        if "\r" in text:
            text = _CARRIAGE_RETURN.sub("\n", text)
    if "\ufeff" in text:
        text = text.replace("\ufeff", "")
    if "\x00" in text:
        text = text.replace("\x00", "\\x00")
    if not _encodable(text):
        text = _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    if "========== " in text or "==========\t" in text:
        text = _PADDED_SEPARATOR.sub(r"\1", text)
    return text


def _pieces(bundle: Bundle, chunk: int) -> Iterator[bytes]:
    """The file in pieces, the last of them empty."""
    try:
        with bundle.open() as stream:
            data = b"."
            while data:
                data = stream.read(chunk)
                yield data
    except OSError as error:
        message = f"{bundle.name} could not be read to its end: {error.strerror or 'input or output failed'}."
        raise SourceError(message, hint="See that the device is still connected, then import again.") from None


def _decoder(name: str) -> codecs.IncrementalDecoder:
    try:
        "".encode(name)  # refuses what is no encoding of text, such as base64
        return codecs.getincrementaldecoder(name)("backslashreplace")
    except (LookupError, UnicodeError, ValueError):
        message = f"There is no text encoding called {name!r}."
        raise SourceError(message, hint="Leave out --encoding, or name one such as utf-8, cp1252 or gbk.") from None


def _detect(bundle: Bundle) -> str:
    """The encoding of a file of which the user says nothing; anything but sound Unicode is told in a warning."""
    try:
        start = bundle.head(_SAMPLE)
    except OSError:
        return "utf-8"  # the reading that follows says what is wrong
    name = _by_bom(start)
    if name and name != "utf-8":
        return name
    name, bad = _by_content(start, _pieces(bundle, CHUNK))
    if name != "utf-8":
        bundle.warnings.append(
            f"{bundle.name} is not UTF-8; it was read as {name}, a guess. If letters look wrong, say --encoding NAME."
        )
    elif bad:
        bundle.warnings.append(f"{bundle.name} is damaged: bytes that are not UTF-8 ({bad}) show as \\x and a code.")
    return name


def _by_bom(start: bytes) -> str | None:
    return next((name for bom, name in _BOMS if start.startswith(bom)), None)


def _by_content(start: bytes, pieces: Iterable[bytes]) -> tuple[str, int]:
    """The likely encoding of these pieces, and how many bytes of them are not UTF-8.

    A file with more letters in UTF-8 than bytes that are not is UTF-8 with damage. One whose start is a quarter NUL is
    one of the wide encodings. All else is judged by how many meta lines can be read, then by `charset_normalizer`.
    """
    if start.count(0) > len(start) // 4:
        return _best(start, _WIDE), 0
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    bad = letters = 0
    odd = b""
    for data in pieces:
        text = decoder.decode(data)
        if text.isascii():
            continue
        wrong = 0
        if not _encodable(text):
            found = _ESCAPED_BYTE.findall(text)
            wrong = len(found)
            if not bad:
                place = len(text[: text.index(found[0])].encode("utf-8"))
                odd = data[max(0, place - _SAMPLE // 2) : place + _SAMPLE // 2]
        bad += wrong
        letters += len(text) - len(text.encode("ascii", "ignore")) - wrong
    if letters >= bad or start.startswith(codecs.BOM_UTF8):
        return "utf-8", bad
    return _guess(start[:_SAMPLE] + b"\n" + odd), bad


def _guess(data: bytes) -> str:
    """The encoding, other than UTF-8, in which the most meta lines can be read; of equals what the detector says."""
    from charset_normalizer import from_bytes  # slow to import, and hardly ever needed

    names: list[str] = []
    match = from_bytes(data, cp_exclusion=["utf_8"]).best()
    if match is not None:
        alike = {codecs.lookup(name).name for name in match.could_be_from_charset}
        names = ["cp1252"] if "cp1252" in alike else [codecs.lookup(match.encoding).name]
    return _best(data, dict.fromkeys((*names, *_USUAL)))


def _best(data: bytes, names: Iterable[str]) -> str:
    return max(names, key=lambda name: _meta_lines(data.decode(name, "replace")))


def _meta_lines(text: str) -> int:
    read = MetaReader().read
    return sum(line[:1] in "-–" and read(line) is not None for line in clean(text).split("\n") if line)


def _encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
