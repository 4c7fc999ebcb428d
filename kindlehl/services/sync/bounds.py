"""What one fact may be, so that everybody can take it."""

import re

from kindlehl.domain.facts import Edit, Fact
from kindlehl.wire import messages

_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


def refusal(body: bytes, fact: Fact | None = None) -> str:
    """Why a fact is not taken, as its body tells, and what it says if that is known; empty where it is taken."""
    if len(body) > messages.FACT_BYTES or (isinstance(fact, Edit) and len(fact.seen) > messages.FACT_SEEN):
        return "too_large"
    return "too_deep" if _is_deep(body) else ""


def _is_deep(body: bytes) -> bool:
    """Whether its JSON holds more inside each other than it may. Strings are passed over."""
    if body.count(b"[") + body.count(b"{") <= messages.DEPTH:
        return False
    depth = 0
    for match in _BRACKET.finditer(body):
        first = match[0][:1]
        depth += (first in b"[{") - (first in b"]}")
        if depth > messages.DEPTH:
            return True
    return False
