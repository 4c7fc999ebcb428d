"""How findings are told: a sign and a word, the sentence, and below it what to do."""

import sys
from collections.abc import Sequence
from typing import Any

from kindlehl.cli import render
from kindlehl.domain.findings import Finding


def show(findings: Sequence[Finding], schema: str, *, json: bool, **more: Any) -> None:
    """Findings for a person, or for programs."""
    if json:
        items = [finding._asdict() for finding in findings]
        render.write_json(schema, items, sys.stdout, ok=all(finding.ok for finding in findings), **more)
        return
    terminal = render.Terminal()
    for finding in findings:
        sign = terminal.style("✓ ok    ", "32") if finding.ok else terminal.style("✗ wrong ", "31")
        lines = list(render.wrapped(finding.what, max(20, terminal.width - 8), whole=True))
        if finding.remedy:
            lines += [
                f"→ {line}" if n == 0 else f"  {line}"
                for n, line in enumerate(render.wrapped(finding.remedy, max(20, terminal.width - 10), whole=True))
            ]
        terminal.print(*((sign if n == 0 else " " * 8) + line for n, line in enumerate(lines)))
