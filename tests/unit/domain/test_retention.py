"""Which backups are kept."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindlehl.domain.errors import UsageError
from kindlehl.domain.retention import Retention, parse_retention

NIGHTLY = [datetime(2024, 1, 1, 3, tzinfo=UTC) + timedelta(days=n) for n in range(800)]
TIMES = st.lists(st.integers(0, 3000 * 24).map(lambda hours: NIGHTLY[0] + timedelta(hours=hours)))


def test_the_last_of_each_day_week_month_and_year_is_kept() -> None:
    """Of nightly backups: the last seven, then Sundays, then the ends of months, then of years."""
    kept = sorted(parse_retention("7d,4w,12m,3y").kept(NIGHTLY), reverse=True)
    assert len(kept) == 7 + 2 + 11 + 1  # one Sunday and the last day of this month are among the seven days
    assert kept[:7] == NIGHTLY[:-8:-1]
    assert [time.weekday() for time in kept if time in kept[7:] and (time + timedelta(days=1)).day != 1] == [6, 6]
    assert datetime(2024, 12, 31, 3, tzinfo=UTC) in kept


def test_of_one_day_the_last_is_kept() -> None:
    """However many there are."""
    times = [datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in range(24)]
    assert Retention(days=3).kept(times) == {times[-1]}


def test_days_without_a_backup_do_not_count() -> None:
    """Three days are three days on which there was one: a month without the computer costs nothing."""
    times = [datetime(2026, month, 1, tzinfo=UTC) for month in range(1, 12)]
    assert Retention(days=3).kept(times) == set(times[-3:])


@given(TIMES, st.tuples(*[st.integers(0, 5)] * 4))
def test_the_newest_is_always_kept_and_nothing_is_made_up(times: list[datetime], counts: tuple[int, ...]) -> None:
    """Whatever the policy; and a second look at what was kept removes nothing more."""
    policy = Retention(*counts)
    kept = policy.kept(times)
    assert kept <= set(times)
    assert max(times, default=None) == max(kept, default=None)
    assert len(kept) <= 1 + sum(counts)
    assert policy.kept(kept) == kept


def test_a_policy_is_written_in_any_order() -> None:
    """Units that are not named keep nothing of their own."""
    assert parse_retention(" 12m, 7d") == Retention(days=7, months=12)


@pytest.mark.parametrize("text", ["", "7", "d", "7d,", "7d,8d", "7h", "-7d", "7.5d", "0d", "99999d", "7d 4w", "٧d"])
def test_what_is_no_policy_is_a_sentence(text: str) -> None:
    """Rather than a policy that removes what was not meant."""
    with pytest.raises(UsageError, match="which backups"):
        parse_retention(text)
