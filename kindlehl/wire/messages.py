"""What two replicas say to each other: a question and an answer each, as JSON.

A round of the client's is hello, pull, push, and where the digests differ compare, states and fetch. Every question
names the epoch of the answering replica and what is withheld, so that nothing has to be remembered between two.
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Raw

from kindlehl.wire.bodies import AnyId, Number

PROTOCOL = 1
PAGE_FACTS = 500
"""Facts in one message at most."""
PAGE_BYTES = 1 << 20
"""Bytes of facts in one message, unless a single one is longer."""
FACT_BYTES = 1 << 19
"""What one fact may take: a value of 256 KiB whose every second character is escaped, or an import of 4,000 records."""
FACT_SEEN = 1_000
"""What one edit may name as what its author had seen."""
EDITS = 10_000
"""Edits of one target: a person makes a few, and each new one is folded with all others."""
EDITS_NAME = 100_000
"""What those may name together as seen and as covered."""
EDITS_BYTES = 1 << 25
"""What those may take together."""
DEPTH = 64
"""Lists and objects inside each other in one fact: whoever reads it calls himself as often."""
MESSAGE_BYTES = 1 << 21
"""What a message may take, unpacked: a page and a fact that is longer than what is left in it, or 65,536 digests."""
STATES = 20_000
"""States in one answer at most."""

SUBPROTOCOL = "kindlehl.v1"
"""Of the socket on which a device is told when there is more."""
REVOKED = 4401
"""Closes a socket whose device is let in no more."""
NOT_UNDERSTOOD = 1008
"""Closes a socket on which something was said that nobody asked for; RFC 6455, section 7.4.1."""

Withheld = Annotated[int, Meta(ge=0, le=3)]
Cursor = Number
Moment = Annotated[str, Meta(max_length=40)]
"""UTC, ISO 8601 with Z; empty for never."""
Bucket = Annotated[str, Meta(pattern=r"^[0-9a-f]{2}([0-9a-f]{2})?\Z")]
"""The last two or four digits of an id: they are random in every kind of id."""


class Hello(msgspec.Struct, tag_field="say", tag="hello"):
    """The first question of a round."""

    protocol: tuple[Number, Number]
    """The least and the greatest protocol that is understood."""
    fold: Number
    """The revision of the fold: where it differs, equal facts may be shown in two ways."""
    withheld: Withheld = 0
    refuses: Withheld = 0
    """What the answering replica is to keep nothing of, by its owner's last wish that is known here: so one that was
    restored learns of it again."""
    wished: Moment = ""
    """When that was wished, by the answering replica's clock."""


class Welcome(msgspec.Struct, tag_field="say", tag="welcome"):
    """Who answers, and how far it is."""

    protocol: Number
    fold: Number
    epoch: str
    """Changes whenever cursors lose their meaning."""
    head: Cursor
    digest: str
    """Of all its facts, as of `head`."""
    refuses: Withheld
    """What this replica does not take, from anybody."""
    now: str
    """Its wall clock, UTC, ISO 8601 with Z."""
    wished: Moment = ""
    """When its owner wished that it refuses that."""


class Pull(msgspec.Struct, tag_field="say", tag="pull"):
    """What has come since?"""

    epoch: str
    cursor: Cursor
    withheld: Withheld = 0


class Page(msgspec.Struct, tag_field="say", tag="page"):
    """Some facts, in order of arrival."""

    facts: list[Raw]
    cursor: Cursor
    """All that had come up to here is in this page or an earlier one."""
    head: Cursor
    digest: str = ""
    """As of `head`, where this is the last page."""


class Push(msgspec.Struct, tag_field="say", tag="push"):
    """Take these."""

    epoch: str
    facts: list[Raw]
    withheld: Withheld = 0


class Refused(msgspec.Struct):
    """A fact that was not taken."""

    id: str
    code: str


class Pushed(msgspec.Struct, tag_field="say", tag="pushed"):
    """They are kept, durably, but for those that were refused."""

    before: Cursor
    head: Cursor
    """Only these facts came between `before` and `head`."""
    digest: str
    refused: list[Refused] = []


class Compare(msgspec.Struct, tag_field="say", tag="compare"):
    """Where do we differ?"""

    epoch: str
    digits: Annotated[int, Meta(ge=2, le=4, multiple_of=2)]
    """How many digits a bucket has."""
    withheld: Withheld = 0


class Digests(msgspec.Struct, tag_field="say", tag="digests"):
    """The digest of each bucket that is not empty."""

    head: Cursor
    buckets: dict[Bucket, str]


class AskStates(msgspec.Struct, tag_field="say", tag="states"):
    """Which facts are in these buckets?"""

    epoch: str
    buckets: Annotated[list[Bucket], Meta(max_length=65_536)]
    withheld: Withheld = 0
    after: Annotated[str, Meta(pattern=r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?\Z")] = ""
    """Only those of greater ids."""


class States(msgspec.Struct, tag_field="say", tag="are"):
    """Each fact of the first so many of those buckets, and its digest. None: of the first bucket, which holds more than
    one answer does, those of the least ids."""

    buckets: Number
    facts: dict[AnyId, str]


class Fetch(msgspec.Struct, tag_field="say", tag="fetch"):
    """Give me these. A page answers with as many of the first as fit."""

    epoch: str
    ids: Annotated[list[AnyId], Meta(max_length=PAGE_FACTS)]
    withheld: Withheld = 0


class Poke(msgspec.Struct, tag_field="say", tag="head"):
    """There is more: the answering replica has come so far. The one thing that is said on a socket."""

    head: Cursor


class Pair(msgspec.Struct):
    """A device asks to be let in."""

    device: Annotated[str, Meta(max_length=200)]
    """What it calls itself."""


class Paired(msgspec.Struct):
    """What it is told."""

    secret: str
    """Which it keeps to itself, and asks for its token with."""
    code: str
    """Which it shows, and its owner types where he is signed in."""
    expires_in: Number
    """Seconds in which somebody has to agree."""
    interval: Number
    """Seconds to wait before it asks again."""


class Collect(msgspec.Struct):
    """Has somebody agreed?"""

    secret: Annotated[str, Meta(max_length=200)]


class Collected(msgspec.Struct):
    """The token, given once; None while nobody has."""

    token: str | None
    person: str = ""
    """The id of whoever agreed, to whom this device belongs now."""


class DeviceSeen(msgspec.Struct):
    """A device that is let in, as its owner sees it."""

    id: str
    name: str
    created_at: str
    used_at: str | None
    """When it was last heard of, to the minute; UTC, ISO 8601 with Z, as all times here."""
    connected: bool
    """It listens at this moment."""
    this: bool
    """It is the one that asks."""


class DevicesSeen(msgspec.Struct):
    """Somebody's devices, the newest first."""

    devices: list[DeviceSeen]


class Refuse(msgspec.Struct):
    """Keep nothing of the one from now on, and drop what there is of it; take the other again."""

    refuse: Withheld = 0
    take: Withheld = 0


class Wished(msgspec.Struct):
    """What is refused now, and when that was wished."""

    refuses: Withheld
    at: Moment


class Rename(msgspec.Struct):
    """Call a device otherwise."""

    name: Annotated[str, Meta(max_length=200)]


Question: TypeAlias = Hello | Pull | Push | Compare | AskStates | Fetch
Answer: TypeAlias = Welcome | Page | Pushed | Digests | States

encode = msgspec.json.Encoder().encode
decode_question = msgspec.json.Decoder(Question).decode
decode_answer = msgspec.json.Decoder(Answer).decode
