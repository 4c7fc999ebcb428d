"""Digests as they are written and compared."""

from collections.abc import Iterable, Mapping

_MASK = (1 << 64) - 1


def written(digest: int) -> str:
    """16 hex digits."""
    return f"{digest & _MASK:016x}"


def together(digests: Iterable[int]) -> str:
    """The digest of all of them."""
    whole = 0
    for digest in digests:
        whole ^= digest
    return written(whole)


def differing(mine: Mapping[str, int], theirs: Mapping[str, str]) -> list[str]:
    """The buckets in which two replicas hold different facts."""
    held = {bucket: written(digest) for bucket, digest in mine.items()}
    return sorted(bucket for bucket in {**held, **theirs} if held.get(bucket) != theirs.get(bucket))
