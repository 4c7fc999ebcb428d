"""Histories of a household: nothing is lost, nothing is there twice, and all become equal."""

from collections import Counter

import pytest
from simulation.flaws import FLAWS
from simulation.world import FAULTS, World

pytestmark = pytest.mark.simulation

HISTORIES = 500
RUN = 50


@pytest.mark.parametrize("first", range(0, HISTORIES, RUN))
def test_histories_end_well(first: int) -> None:
    """And every kind of fault was in a tenth of them or more."""
    seen = Counter[str]()
    for seed in range(first, first + RUN):
        world = World(seed)
        assert (seed, world.run()) == (seed, [])
        seen.update(world.faults.keys())
    assert {fault: seen[fault] for fault in FAULTS if seen[fault] < RUN / 10} == {}


@pytest.mark.parametrize("flawed", FLAWS, ids=[flaw.__name__ for flaw in FLAWS])
def test_a_flaw_is_noticed(flawed: type[World]) -> None:
    """Within those five hundred."""
    assert any(flawed(seed).run() for seed in range(HISTORIES))


def test_a_seed_is_a_history() -> None:
    """The same facts, and the same number of everything that happened."""
    one, other = World(7), World(7)
    assert one.run() == other.run() == []
    assert (one.facts(one.server), one.done, one.faults) == (other.facts(other.server), other.done, other.faults)
