"""Keeping a library equal with a peer as long as the program runs: a round whenever there is something to pull or to
push, and now and then without a reason, since silence proves nothing."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from kindlehl.domain.errors import (
    DeniedError,
    KindlehlError,
    OfflineError,
    RevokedError,
    UpgradeError,
    UsageError,
    WireError,
)
from kindlehl.ports import Library
from kindlehl.services.sync.ahead import unsent
from kindlehl.services.sync.noticing import Noticed
from kindlehl.services.sync.patience import Pauses
from kindlehl.services.sync.round import Done

_TICK = 0.5
"""Seconds between two looks whether something was written here."""
_SAFETY = 60.0
"""Seconds after which a round is due without a reason."""
_DEAF = 2.0
"""The same where no socket is to be had."""
_ANOTHER = 600.0
"""Seconds after which another socket is tried there: what stood between may be gone."""
STALLED = 60.0
"""Seconds after which something that waits to be sent is worth a sentence."""
_ASLEEP = 10.0
"""Seconds that a clock on the wall went on while ours stood still: the computer slept, and the socket is no more."""
_FINAL = (RevokedError, UpgradeError, DeniedError, UsageError)
"""What no patience mends."""


class Ears(Protocol):
    """An open socket."""

    def wait(self, seconds: float) -> bool:
        """Whether there is more, as soon as that is said; False after so long. Raises KindlehlError once nothing will
        be heard any more."""
        ...


class Teller(Protocol):
    """Whoever wants to know how it goes."""

    def done(self, done: Done, noticed: Noticed) -> None:
        """A round went well."""
        ...

    def failed(self, error: KindlehlError, pause: float) -> None:
        """Something failed; the next attempt is in so many seconds."""
        ...

    def stalled(self, unsent: int, seconds: float) -> None:
        """So many facts have waited to be sent for so long."""
        ...


@dataclass(slots=True)
class Watch:
    """A library that is kept equal with a peer."""

    library: Library
    peer: str
    round: Callable[[], tuple[Done, Noticed]]
    listen: Callable[[], AbstractContextManager[Ears]]
    """Opens a socket. Entering it raises WireError where none is to be had."""
    teller: Teller
    monotonic: Callable[[], float]
    wall: Callable[[], float]
    sleep: Callable[[float], None]
    pauses: Pauses = field(default_factory=Pauses)
    waits_since: float | None = None
    """When something to send was first seen that is still not sent."""
    told: bool = False
    """Whether that was said."""

    def run(self) -> None:
        """Go on until something happens that no patience mends: that is raised."""
        while True:
            try:
                with self._ears() as ears:
                    self._follow(ears)
            except _FINAL:
                raise
            except KindlehlError as error:
                self._look_for_a_stall()
                pause = self.pauses.next(error)
                self.teller.failed(error, pause)
                self.sleep(pause)

    @contextmanager
    def _ears(self) -> Generator[Ears]:
        """A socket; where something between us lets none through, a look every few seconds."""
        with ExitStack() as opened:
            try:
                ears = opened.enter_context(self.listen())
            except WireError:
                ears = _Deaf(self.sleep)
            yield ears

    def _follow(self, ears: Ears) -> None:
        """Listen, and do what is due, until something fails or another socket is worth a try."""
        deaf, began = isinstance(ears, _Deaf), self.monotonic()
        safety = _DEAF if deaf else _SAFETY
        while not deaf or self.monotonic() - began < _ANOTHER:
            self.teller.done(*self.round())
            self.pauses.over()
            self._look_for_a_stall()
            last = self.monotonic()
            while not (self._hears(ears) or unsent(self.library, self.peer) or self.monotonic() - last >= safety):
                pass

    def _hears(self, ears: Ears) -> bool:
        began, wall = self.monotonic(), self.wall()
        more = ears.wait(_TICK)
        if (self.wall() - wall) - (self.monotonic() - began) > _ASLEEP:
            raise OfflineError("This computer slept.", hint="It connects anew.")
        return more

    def _look_for_a_stall(self) -> None:
        waiting, now = unsent(self.library, self.peer), self.monotonic()
        if not waiting:
            self.waits_since, self.told = None, False
        elif self.waits_since is None:
            self.waits_since = now
        elif now - self.waits_since >= STALLED and not self.told:
            self.told = True
            self.teller.stalled(waiting, now - self.waits_since)


@dataclass(frozen=True, slots=True)
class _Deaf:
    """No socket."""

    sleep: Callable[[float], None]

    def wait(self, seconds: float) -> bool:
        """Nothing is ever heard."""
        self.sleep(seconds)
        return False
