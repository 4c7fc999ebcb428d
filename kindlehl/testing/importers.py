"""What every importer promises, as tests."""
# ruff: noqa: S101 -- a law that is broken is an assertion that fails

import datetime
import io
import random
import re
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import PurePath
from typing import Any

import pytest

from kindlehl.domain.contract import Bundle, Importer
from kindlehl.domain.errors import SourceError
from kindlehl.domain.facts import KINDS, Record
from kindlehl.testing.privacy import check_quotes

_UUID5 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_OFFSET = re.compile(r"[+-]\d\d:\d\d")
_LARGE = 4 * 1024 * 1024  # bytes of a source that is to be streamed

_FOREIGN = {
    "nothing": b"",
    "one line end": b"\n",
    "one zero byte": b"\x00",
    "all bytes": bytes(range(256)) * 8,
    "random bytes": random.Random(1).randbytes(4096),  # noqa: S311 -- the same bytes in every run
    "prose": "Es war einmal – a tale that is no source of anybody's.\n\nIt has a second paragraph.\n".encode() * 9,
    "JSON": b'{"version": 1, "items": [{"text": "no highlight", "page": 1}]}\n',
    "CSV": b"name,amount\r\nbread,2\r\nmilk,1\r\n",
    "HTML": b"<!DOCTYPE html><html><head><title>A page</title></head><body><p>Hello.</p></body></html>",
    "XML": b'<?xml version="1.0" encoding="utf-8"?><feed><entry/></feed>',
    "a picture": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64),
    "an archive": b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + bytes(64),
    "a database": b"SQLite format 3\x00\x10\x00\x01\x01\x00\x40\x20\x20" + bytes(4072),
    "UTF-16": "Nothing of yours.\r\n".encode("utf-16"),
}
_SCRAPS = (b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\n\n", b"\xe2\x80\xa8", b"{", b'"')


class ImporterContract:
    """What every importer promises. Inherit it under a name that begins with `Test`, and give what is below."""

    importer: Importer
    samples: Mapping[str, bytes]
    """Sources it reads, by file name: as small as you like, and of each kind at least one. Your own texts, please."""
    entries: Sequence[bytes] = ()
    """Raw records that may stand in one source in any order, each giving at least one record. Without them, that ids
    do not depend on neighbours, and that reading streams, is shown as skipped."""
    streams: bool = True
    """False where the format cannot be read piece by piece, such as one JSON document."""

    def joined(self, entries: Sequence[bytes]) -> bytes:
        """A source made of these entries. To be overridden where that takes more than putting them side by side."""
        return b"".join(entries)

    def test_it_has_a_name_and_a_revision(self) -> None:
        """Both are part of what is stored: the name is lower case without blanks, the revision a whole number."""
        name, revision = self.importer.name, self.importer.revision
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name), f"{name!r} is no name: lower case, digits, . _ -"
        assert type(revision) is int, "the revision is a whole number"
        assert revision >= 0, "the revision is not negative"

    def test_it_claims_its_samples(self) -> None:
        """Each sample is recognised, and gives at least one record."""
        assert self.samples, "give at least one sample"
        for name, data in self.samples.items():
            assert self.importer.claims(_bundle(name, data)) is True, f"it does not claim {name}"
            assert self._read(name, data), f"it reads nothing from {name}"

    def test_it_claims_nothing_else(self) -> None:
        """What is somebody else's is left to others, even if its name ends like ours."""
        suffixes = {"", ".bin", *(PurePath(name).suffix for name in self.samples)}
        for what, data in _FOREIGN.items():
            for suffix in sorted(suffixes):
                claimed = self.importer.claims(_bundle(f"something{suffix}", data))
                assert claimed is False, f"it claims {what} in a file something{suffix}"

    def test_claiming_never_raises(self) -> None:
        """Whatever the bytes, and whatever the file is called, the answer is yes or no."""
        for name, data in self.samples.items():
            for odd in (*_FOREIGN.values(), *_mutations(data)):
                for explicit in (False, True):
                    verdict = self.importer.claims(_bundle(name, odd, explicit=explicit))
                    assert isinstance(verdict, bool), f"claims gives {verdict!r}, which is neither True nor False"

    def test_reading_gives_an_iterator(self) -> None:
        """Records come one by one: `read` is a generator, not a list."""
        for name, data in self.samples.items():
            records = self.importer.read(_bundle(name, data))
            assert iter(records) is records, "read gives no iterator; write it as a generator, with `yield`"

    def test_reading_streams(self) -> None:
        """A large source is never in memory as a whole, and neither are its records."""
        if not (self.entries and self.streams):
            pytest.skip("needs `entries`, and a format that can be streamed")
        one = self.joined(self.entries)
        data = self.joined([*self.entries] * (_LARGE // len(one) + 1))
        bundle = _bundle(next(iter(self.samples)), data)
        tracemalloc.start()
        try:
            count = sum(1 for _ in self.importer.read(bundle))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert count, "it reads nothing from a large source"
        assert peak < len(data), f"it held {peak:,} bytes while it read a source of {len(data):,}"

    def test_reading_twice_gives_the_same(self) -> None:
        """Records are what the source says, and nothing of when or how often it was read."""
        for name, data in self.samples.items():
            assert self._read(name, data) == self._read(name, data), f"{name} gives other records the second time"

    def test_the_name_of_the_file_changes_nothing(self) -> None:
        """Two devices may call the same file differently; they must make the same facts."""
        for name, data in self.samples.items():
            renamed = f"renamed{PurePath(name).suffix}"
            assert self._read(renamed, data) == self._read(name, data), f"records of {name} depend on its name"

    def test_ids_depend_on_the_raw_record_alone(self) -> None:
        """The same entry has the same id alone, among others, in another order, and a second time."""
        if not self.entries:
            pytest.skip("needs `entries`")
        name = next(iter(self.samples))
        alone = Counter[str]()
        for entry in self.entries:
            ids = [record.id for record in self._read(name, self.joined([entry]))]
            assert ids, "one of `entries` gives no record when it stands alone"
            alone.update(ids)
        for entries, times in ((self.entries, 1), (self.entries[::-1], 1), ([*self.entries, *self.entries], 2)):
            found = Counter(record.id for record in self._read(name, self.joined(entries)))
            assert found == Counter({ident: count * times for ident, count in alone.items()}), (
                "an id depends on the records around it"
            )

    def test_records_can_be_stored(self) -> None:
        """Ids, kinds, texts, places and times are as `Record` has them."""
        for name, data in self.samples.items():
            for record in self._read(name, data):
                self._check(record)

    def test_no_damage_raises(self) -> None:
        """Cut short, changed, in another encoding: what comes out are records, or `SourceError`, and nothing else."""
        for name, data in self.samples.items():
            for odd in (*_FOREIGN.values(), *_mutations(data)):
                try:
                    records = self._read(name, odd)
                except SourceError as error:
                    check_quotes(error.message, odd.decode("utf-8", "replace"))
                    continue
                for record in records:
                    self._check(record)

    def test_whatever_encoding_the_user_names(self) -> None:
        """`--encoding` may be wrong, or no encoding at all: that is a `SourceError`, or it is not looked at."""
        for name, data in self.samples.items():
            for encoding in ("utf-8", "utf-16", "cp932", "ascii", "base64", "no-such-encoding", "\x00"):
                try:
                    for record in self.importer.read(_bundle(name, data, encoding=encoding)):
                        self._check(record)
                except SourceError:
                    continue

    def _read(self, name: str, data: bytes) -> list[Record]:
        return list(self.importer.read(_bundle(name, data)))

    def _check(self, record: Record) -> None:
        assert _UUID5.fullmatch(record.id), f"{record.id!r} is no UUIDv5; make it with `record_id`"
        assert record.kind in KINDS, f"there is no kind {record.kind!r}"
        assert record.revision == self.importer.revision, "a record carries the importer's own revision"
        for one in fields(record):
            value = getattr(record, one.name)
            if isinstance(value, str):
                assert "\x00" not in value, f"{one.name} holds a NUL, which SQLite does not take"
                assert _encodable(value), f"{one.name} holds a lone surrogate, which UTF-8 does not take"
        assert "\r" not in record.text, "line ends are \\n"
        start, end = record.location_start, record.location_end
        assert start is None or end is None or start <= end, f"it ends at {end}, before it starts at {start}"
        assert record.at is None or _is_naive_second(record.at), f"{record.at!r} is not like 2024-08-22T18:10:53"
        assert record.offset is None or _OFFSET.fullmatch(record.offset), f"{record.offset!r} is not like +01:00"
        if record.kind == "unreadable":
            assert record.reason, "an unreadable record says why"
            assert record.text.strip(), "an unreadable record keeps its raw text, so that nothing is lost"
            check_quotes(record.reason, record.text)


def _bundle(name: str, data: bytes, **known: Any) -> Bundle:
    return Bundle(name, {name: partial(io.BytesIO, data)}, **known)


def _mutations(data: bytes) -> Iterator[bytes]:
    """The source cut, changed and recoded, the same way in every run."""
    chance = random.Random(len(data))  # noqa: S311 -- the same changes in every run
    for part in range(1, 8):
        yield data[: len(data) * part // 8]
        yield data[len(data) * part // 8 :]
    for line_end in (b"\r\n", b"\r", b"\r\r\n"):
        yield data.replace(b"\r\n", b"\n").replace(b"\n", line_end)
    for codec in ("utf-8-sig", "utf-16", "utf-32-be", "utf-7"):
        yield data.decode("utf-8", "replace").encode(codec)
    yield data + data
    yield bytes(reversed(data))
    for _ in range(64):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 8)):
            place = chance.randrange(len(changed) + 1)
            match chance.randrange(3):
                case 0:
                    changed[place : place + 1] = chance.randbytes(1)
                case 1:
                    del changed[place : place + chance.randint(1, 100)]
                case _:
                    changed[place:place] = chance.choice(_SCRAPS)
        yield bytes(changed)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_naive_second(at: str) -> bool:
    try:
        moment = datetime.datetime.fromisoformat(at)
    except ValueError:
        return False
    return moment.tzinfo is None and moment.isoformat(timespec="seconds") == at
