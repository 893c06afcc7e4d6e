"""Numbers and instants as people write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqscape.clock import iso, parse_instant, utc_date
from liqscape.errors import BadArgument, LiqscapeError, NoData, UnknownInstrument, context
from liqscape.units import (
    NS_PER_DAY,
    NS_PER_S,
    format_duration,
    format_percent,
    format_price,
    format_usd,
    parse_duration_ns,
    parse_fraction,
    parse_usd,
)


def test_dollars_are_read_as_people_write_them():
    assert parse_usd("250M") == 250e6
    assert parse_usd("$1.1B") == 1.1e9
    assert parse_usd("1,000,000") == 1e6
    assert parse_usd("5e8") == 5e8
    for bad in ("", "M", "1 apple", "--3"):
        with pytest.raises(ValueError, match="amount"):
            parse_usd(bad)


@pytest.mark.parametrize(
    ("usd", "text"),
    [(106.9e6, "$107M"), (999.96e6, "$1.00B"), (1.234e9, "$1.23B"), (950, "$950"), (-2.5e3, "-$2.50K"), (float("nan"), "-")],
)
def test_dollars_are_written_with_three_digits(usd, text):
    assert format_usd(usd) == text


@given(st.floats(1.0, 1e13))
def test_written_dollars_read_back_within_their_digits(usd):
    assert parse_usd(format_usd(usd)) == pytest.approx(usd, rel=0.005)


def test_fractions():
    assert parse_fraction("1%") == 0.01
    assert parse_fraction("0.02") == 0.02
    assert parse_fraction("25bp") == 0.0025
    with pytest.raises(ValueError):
        parse_fraction("inf%")
    assert format_percent(0.0123, decimals=1, sign=True) == "+1.2 %"
    assert format_percent(None) == "-"


def test_durations():
    assert parse_duration_ns("30d") == 30 * NS_PER_DAY
    assert parse_duration_ns("1y") == 365 * NS_PER_DAY
    assert parse_duration_ns("1.5h") == 5400 * NS_PER_S
    for bad in ("0d", "-1h", "5", "h"):
        with pytest.raises(ValueError, match="duration"):
            parse_duration_ns(bad)
    assert [format_duration(n * NS_PER_S) for n in (3, 720, 18_720, 61 * 86_400)] == ["3 s", "12 min", "5.2 h", "61 d"]


def test_prices_keep_about_six_digits():
    assert [format_price(p) for p in (84178.9, 0.0123456, 1.0, 0.0)] == ["84,178.9", "0.0123456", "1.00000", "0"]


def test_instants_without_a_zone_are_utc():
    expected = 1_769_813_700 * NS_PER_S
    for text in ("2026-01-30T22:55Z", "2026-01-30 22:55", "2026-01-30T23:55+01:00"):
        assert parse_instant(text) == expected
    assert parse_instant(datetime(2026, 1, 30, 22, 55)) == expected
    assert parse_instant(datetime(2026, 1, 30, 22, 55, tzinfo=UTC)) == expected
    assert parse_instant(datetime(2026, 1, 31, 0, 55, tzinfo=timezone(timedelta(hours=2)))) == expected
    assert utc_date(expected) == "2026-01-30"


def test_nanoseconds_survive():
    assert parse_instant("2026-01-30T22:55:00.123456789Z") % NS_PER_S == 123_456_789
    assert iso(parse_instant("2026-01-30T22:55:00.5Z")) == "2026-01-30T22:55:00.5Z"


def test_instants_in_other_units_are_refused():
    for bad in (1_769_813_700, "yesterday", "30/01/2026"):
        with pytest.raises(ValueError, match="instant"):
            parse_instant(bad)


@given(st.integers(631_152_000 * NS_PER_S, 4_000_000_000 * NS_PER_S))
def test_iso_reads_back(ns):
    assert parse_instant(iso(ns)) == ns


def test_errors_are_one_tree_with_exit_statuses():
    assert [e.exit_status for e in (BadArgument, NoData, UnknownInstrument)] == [2, 3, 3]
    with pytest.raises(LiqscapeError) as caught, context(file="a.csv", line=3), context(line=4):
        raise BadArgument("no column ts", hint="Add it.")
    assert caught.value.context == {"line": 4, "file": "a.csv"}
    assert str(caught.value) == "no column ts\nAdd it."
