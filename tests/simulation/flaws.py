"""Households with a flaw each: what the simulation has to notice, or it proves nothing."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import count
from unittest import mock

from simulation.world import World

from kindlehl import wire
from kindlehl.domain import fields, withholding
from kindlehl.services.sync.round import Round


class Flawed(World):
    """A world in which something of the product is replaced while it runs."""

    def flaw(self) -> AbstractContextManager[object]:
        """What is replaced."""
        raise NotImplementedError

    def run(self) -> list[str]:
        """Live with it."""
        with self.flaw():
            return super().run()


class NoDigests(World):
    """Cursors alone: whoever was restored silently is never made whole."""

    class Trusting(Round):
        """Believes that cursors tell everything."""

        def _is_compared(self) -> bool:
            self.done.equal = True
            return True

    round_kind = Trusting


class CursorFirst(World):
    """The cursor is kept before the page that it stands behind."""

    class Hasty(Round):
        """Loses what was on its way when a message was lost."""

        def _pull(self) -> None:
            if self.progress.pulled < self.head:
                skipped = self.progress._replace(pulled=min(self.head, self.progress.pulled + 500))
                with self.library.transaction():
                    self.library.peers.keep(self.peer, skipped)
            super()._pull()

    round_kind = Hasty


class DigestsOfIds(Flawed):
    """Two states of one fact look the same."""

    def flaw(self) -> AbstractContextManager[object]:
        """Digests know nothing of the state."""
        digest = wire.digest
        return mock.patch.object(wire, "digest", lambda body: digest(wire.header(body).id))


class FirstStateWins(Flawed):
    """Whatever arrives first is kept."""

    def flaw(self) -> AbstractContextManager[object]:
        """No state is greater than another."""
        return mock.patch.object(wire, "rank", return_value=0)


class LastStateWins(Flawed):
    """Whatever arrives last is kept."""

    def flaw(self) -> AbstractContextManager[object]:
        """Every state is greater than all before."""
        return mock.patch.object(wire, "rank", side_effect=count(0, -1))


class NoMarks(Flawed):
    """A deletion knows of no more than the records it covers."""

    def flaw(self) -> AbstractContextManager[object]:
        """It does not know how far its author's files went."""
        marks = {f"clippings:G{n}": "" for n in (0, 1)}
        return mock.patch("kindlehl.store.facts.SqliteFacts.reached", return_value=marks)


class NewestNoteWins(Flawed):
    """Of two notes that nobody had seen both of, one is dropped."""

    def flaw(self) -> AbstractContextManager[object]:
        """The clock decides."""

        honest = fields.variants
        return mock.patch.object(fields, "variants", lambda edits: honest(edits)[-1:])


class PushedAnyway(World):
    """A push counts as taken though its answer never came."""

    class Careless(Round):
        """Moves its cursor before it sends."""

        def _push_until(self, until: int) -> None:
            if self.progress.pushed < until:
                with self.library.transaction():
                    self.library.peers.keep(self.peer, self.progress._replace(pushed=until))
            super()._push_until(until)

    round_kind = Careless


class WishesForgotten(World):
    """What the owner wished is known to the server alone."""

    class Forgetful(Round):
        """Takes what the server says of it, however old that is."""

        def _hello(self) -> None:
            withheld = self.withheld
            super()._hello()
            if self.done.anew:
                self.withheld = withheld
                self.progress = self.progress._replace(refuses=withholding.NOTHING, wished="")

    round_kind = Forgetful


FLAWS: Sequence[type[World]] = (
    NoDigests, CursorFirst, DigestsOfIds, FirstStateWins, LastStateWins, NoMarks, NewestNoteWins, PushedAnyway,
    WishesForgotten,
)  # fmt: skip
