"""Which computers a device runs on: a copy is noticed, and nothing else is taken for one."""

from kindlehl_server.computers import Computers


def told(*came: str) -> list[bool]:
    """What each hears that comes from these computers under one token."""
    computers = Computers()
    return [computers.came("laptop", start) for start in came]


def test_two_that_take_turns_are_told() -> None:
    """From the second turn on: until then the other one may have been switched off."""
    assert told("a", "a", "b", "b", "a", "a", "b") == [False, False, False, False, True, False, True]


def test_one_that_starts_anew_is_no_copy() -> None:
    """However often."""
    assert not any(told(*(str(day) for day in range(100))))
    assert not any(told("a", "b", "c", "c", "d"))


def test_once_a_copy_has_a_name_of_its_own_it_is_over() -> None:
    """It was paired anew."""
    assert told("a", "b", "a", "a", "a")[-2:] == [False, False]


def test_devices_have_nothing_to_do_with_each_other() -> None:
    """Two of one computer, and one that names none."""
    computers = Computers()
    for _ in range(3):
        assert not computers.came("laptop", "a")
        assert not computers.came("laptop of somebody else", "a")
        assert not computers.came("laptop", "")


def test_those_that_came_last_are_remembered() -> None:
    """Memory has a bound."""
    computers = Computers()
    computers.came("early", "a")
    computers.came("early", "b")
    for number in range(10_000):
        computers.came(f"device {number}", "a")
    assert not computers.came("early", "a")
