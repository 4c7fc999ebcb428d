"""Dates of meta lines: read exactly, or not at all."""

import pytest

from kindlehl_plugins.clippings import dates
from kindlehl_plugins.clippings.languages import LANGUAGES

BY_CODE = {language.code: language for language in LANGUAGES}


@pytest.mark.parametrize(
    ("code", "text", "at"),
    [
        ("en", "Monday, April 18, 2016 7:28:27 AM", "2016-04-18T07:28:27"),
        ("en", "Monday, April 18, 2016 12:00:01 AM", "2016-04-18T00:00:01"),
        ("en", "Monday, April 18, 2016 12:30:00 PM", "2016-04-18T12:30:00"),
        ("en", "Monday, April 21, 2014 10:08:07 PM", "2014-04-21T22:08:07"),
        ("en", "Thursday, 24 August 2017 22:31:50", "2017-08-24T22:31:50"),
        ("en", "Thursday, May 05, 2011, 07:47 AM", "2011-05-05T07:47:00"),
        ("en", "Thursday, 25 April 13 23:45:11", "2013-04-25T23:45:11"),
        ("en", "24 August 2017 22:31:50", "2017-08-24T22:31:50"),
        ("en", "Wednesday, february 29, 2012 1:02:03 pm", "2012-02-29T13:02:03"),
        ("de", "Mittwoch, 9. Oktober 2019 11:13:06", "2019-10-09T11:13:06"),
        ("de", "Freitag, 26. April 2013 um 00:49:32 Uhr", "2013-04-26T00:49:32"),
        ("de", "Freitag, 26. April 2013 um 23:38:23.1 Uhr", "2013-04-26T23:38:23"),
        ("de", "Freitag, 26. April 2013 um 4.46 Uhr", "2013-04-26T04:46:00"),
        ("fr", "mercredi 16 août 2017 02:14:10", "2017-08-16T02:14:10"),
        ("fr", "samedi 16 juin 2012 à 22:40:52", "2012-06-16T22:40:52"),
        ("es", "lunes, 10 de julio de 2023 13:23:06", "2023-07-10T13:23:06"),
        ("es", "martes, 12 de diciembre de 2023 7:35:58 p. m.", "2023-12-12T19:35:58"),
        ("es", "martes, 12 de diciembre de 2023 12:35:58 a.\u00a0m.", "2023-12-12T00:35:58"),
        ("es", "martes, 12 de diciembre de 2023 7:35:58\u202fp.m.", "2023-12-12T19:35:58"),
        ("es", "viernes 26 de abril de 2013, 0:04:34", "2013-04-26T00:04:34"),
        ("it", "venerdì 6 aprile 12, 00:25:08", "2012-04-06T00:25:08"),
        ("pt", "sexta-feira, 29 de novembro de 2019 18:00:13", "2019-11-29T18:00:13"),
        ("pt", "segunda-feira, 17 de junho de 2013, 20:39:30", "2013-06-17T20:39:30"),
        ("nl", "donderdag 22 augustus 2024 18:10:53", "2024-08-22T18:10:53"),
        ("ru", "четверг, 22 августа 2024 г. в 18:10:53", "2024-08-22T18:10:53"),
        ("ja", "2016年2月26日金曜日 11:49:27", "2016-02-26T11:49:27"),
        ("ja", "2013年6月17日 (月曜日) 20:31:09", "2013-06-17T20:31:09"),
        ("ja", "2013年6月17日月曜日 午後8:31:09", "2013-06-17T20:31:09"),
        ("zh", "2016年4月4日星期一 上午8:33:27", "2016-04-04T08:33:27"),
        ("zh", "2016年4月4日星期一 上午12:33:27", "2016-04-04T00:33:27"),
        ("zh", "2016年4月4日星期一 下午12:22:11", "2016-04-04T12:22:11"),
        ("zh", "2016年4月4日星期一 下午 1:22:11", "2016-04-04T13:22:11"),
        ("zh", "2016年4月4日星期一下午1:22:11", "2016-04-04T13:22:11"),
        ("de", "Monday, April 21, 2014 10:08:07 PM", "2014-04-21T22:08:07"),  # KOReader: English in every language
    ],
)
def test_every_layout_is_read_to_the_second(code: str, text: str, at: str) -> None:
    """Each layout that a Kindle or KOReader writes gives the time on the device's clock."""
    assert dates.read(text, BY_CODE[code]) == (at, None)


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("en", "Thursday, 24 January 13 17:54:15 GMT+00:59", ("2013-01-24T17:54:15", "+00:59")),
        ("en", "Thursday, 24 January 13 19:00:12 Greenwich Mean Time", ("2013-01-24T19:00:12", "+00:00")),
        ("en", "Thursday, 24 January 13 19:00:12 GMT", ("2013-01-24T19:00:12", "+00:00")),
        ("en", "Thursday, 24 January 13 19:00:12 British Summer Time", ("2013-01-24T19:00:12", None)),
        ("en", "Thursday, 24 January 13 19:00:12 GMT+99:00", ("2013-01-24T19:00:12", None)),
        ("en", "2013年8月5日 星期一 上午09时11分28秒 GMT+08:00", ("2013-08-05T09:11:28", "+08:00")),
        ("pt", "terça-feira, 19 de março de 2019 23h32min06s GMT-03:00", ("2019-03-19T23:32:06", "-03:00")),
    ],
)
def test_an_offset_is_kept_only_where_one_is_stated(
    code: str, text: str, expected: tuple[str | None, str | None]
) -> None:
    """The clock's face is never shifted; the offset stands beside it."""
    assert dates.read(text, BY_CODE[code]) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Friday, February 31, 2014 10:00:00 AM",
        "Friday, February 29, 2013 10:00:00 AM",
        "Friday, January 1, 2024 25:00:00",
        "Friday, January 1, 2024 24:00:00",
        "Friday, January 1, 2024 10:60:00 AM",
        "Friday, January 1, 2024 10:00:61 AM",
        "Friday, January 1, 2024 13:00:00 AM",
        "Friday, January 1, 2024",  # midnight would be a guess
        "Friday, January 1, 0000 10:00:00 AM",
        "Friday, Smarch 1, 2024 10:00:00 AM",
        "Friday, 01/02/2024 10:00:00",  # which is the month?
        "Friday, January 1, 2024 10:00:00 in the evening",
        "Friday, January 1, 2024 in the evening 10:00:00",
        "2016年4月4日星期一 晚上 8:33:27",
        "1 2 3 : : :",
        "9" * 400,
    ],
)
def test_a_date_not_fully_understood_is_none(text: str) -> None:
    """An impossible date, or a word that is not known, gives no date: never today's, never a wrong one."""
    assert all(dates.read(text, language) == (None, None) for language in LANGUAGES)


def test_a_wrong_weekday_changes_nothing() -> None:
    """Weekdays are wrong in real files, and are not looked at."""
    english = BY_CODE["en"]
    assert dates.read("Sunday, April 18, 2016 7:28:27 AM", english) == dates.read("April 18, 2016 7:28:27 AM", english)


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language.months], ids=lambda x: x.code)
def test_every_language_names_twelve_months(language: object) -> None:
    """A month's number is its place in the table, in either case."""
    from kindlehl_plugins.clippings.languages import Language

    assert isinstance(language, Language)
    assert [language.month(name.upper()) for name in language.months] == list(range(1, 13))
