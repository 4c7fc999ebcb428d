"""On which computers a device runs: where two take turns under one token, one of them is a copy of the other.

A computer is known by what names its start (`kindlehl.remote.computer`). That changes whenever it starts anew, and one
that was over never comes back: whoever comes after another one and had come before it is not the only one.
"""

from collections import OrderedDict, deque

_STARTS = 32
"""Earlier starts that are remembered of a device."""
_DEVICES = 10_000
"""Devices that are remembered, those that came last."""


class Computers:
    """Who came from where, as long as this process runs."""

    def __init__(self) -> None:
        self._starts: OrderedDict[str, deque[str]] = OrderedDict()

    def came(self, device: str, start: str) -> bool:
        """A device came from a computer by the name of its start, if it gives one; whether another one that is still
        running comes under the same token."""
        if not start:
            return False
        starts = self._starts.setdefault(device, deque(maxlen=_STARTS))
        self._starts.move_to_end(device)
        if len(self._starts) > _DEVICES:
            self._starts.popitem(last=False)
        if starts and starts[-1] == start:
            return False
        again = start in starts
        if again:
            starts.remove(start)
        starts.append(start)
        return again
