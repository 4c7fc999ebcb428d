"""How facts, and what two replicas say to each other, look on the wire: JSON."""

from kindlehl.wire.bodies import (
    GREATEST,
    EditBody,
    Header,
    ImportBody,
    Malformed,
    RecordBody,
    decode,
    decode_record,
    digest,
    dumps,
    encode,
    encode_record,
    header,
    rank,
)

__all__ = [
    "GREATEST", "EditBody", "Header", "ImportBody", "Malformed", "RecordBody", "decode", "decode_record", "digest",
    "dumps", "encode", "encode_record", "header", "rank",
]  # fmt: skip
