"""Messages as they are sent: packed with zstd, and unpacked to a length that is known to be safe."""

import io

import zstandard

from kindlehl.domain.errors import TooLargeError, WireError

ENCODING = "zstd"
_LEVEL = 3
_WORTH = 512
"""Bytes from which on packing pays."""
_WINDOW = 1 << 23
"""What whoever packed may ask us to keep in memory: 8 MiB, as RFC 9659 has it for the web."""


def packed(data: bytes) -> tuple[bytes, str | None]:
    """A message as it is sent, and its encoding."""
    if len(data) < _WORTH:
        return data, None
    return zstandard.ZstdCompressor(level=_LEVEL).compress(data), ENCODING


def unpacked(data: bytes, encoding: str | None, limit: int) -> bytes:
    """A message as it was before it was packed. Raises TooLargeError where that is longer than `limit` bytes, and
    WireError where it was packed otherwise. One that was cut off is unpacked as far as it goes."""
    if encoding in (None, "", "identity"):
        whole = data[: limit + 1]
    elif encoding == ENCODING:
        whole = _unpacked(data, limit)
    else:
        raise WireError("A message is packed in a way that is not understood.", hint="Send it as zstd, or as it is.")
    if len(whole) > limit:
        raise TooLargeError(f"A message is longer than {limit >> 10} KiB.", hint="Send it in parts.")
    return whole


def _unpacked(data: bytes, limit: int) -> bytes:
    unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    try:
        return unpacker.stream_reader(io.BytesIO(data)).read(limit + 1)
    except zstandard.ZstdError as error:
        raise WireError("A message cannot be unpacked.") from error
