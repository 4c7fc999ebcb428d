"""The hybrid logical clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindlehl.domain.clock import LIMIT, tick

stamps = st.integers(0, LIMIT - 2)


@given(stamps, stamps)
def test_a_stamp_is_after_everything_seen_and_after_the_wall(wall: int, seen: int) -> None:
    """The least such number, so that a wrong clock moves others no further than it must."""
    assert tick(wall, seen) == max(wall, seen) + 1


def test_a_clock_that_goes_back_does_not_take_the_stamps_with_it() -> None:
    """Two edits of one device are in the order they were made."""
    first = tick(1_700_000_000_000, 0)
    assert tick(0, first) > first


@pytest.mark.parametrize(("wall", "seen"), [(LIMIT - 2, 0), (LIMIT, 0), (0, LIMIT - 1), (LIMIT - 1, 5)])
def test_at_the_end_of_its_range_it_stands_still(wall: int, seen: int) -> None:
    """Whoever forges the last stamp keeps nobody from editing; every stamp is one that others take."""
    assert tick(wall, seen) == LIMIT - 1
