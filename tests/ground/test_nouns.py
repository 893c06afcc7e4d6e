"""Nouns: instruments, records, the log grid, series."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqscape.errors import BadArgument
from liqscape.model import Bar, ContractKind, InstrumentId, LiquidationTotal, OpenInterest, PriceGrid, PriceKind, describe
from liqscape.model.sides import Completeness, PositionSide


@pytest.mark.parametrize(
    ("name", "base", "kind"),
    [
        ("binance:BTCUSDT", "BTC", ContractKind.LINEAR),
        ("binance:BTCUSD_PERP", "BTC", ContractKind.INVERSE),
        ("bybit:ETHUSD", "ETH", ContractKind.INVERSE),
        ("okx:SOL-USDT-SWAP", "SOL", ContractKind.LINEAR),
        ("okx:BTC-USD-SWAP", "BTC", ContractKind.INVERSE),
        ("hyperliquid:HYPE", "HYPE", ContractKind.LINEAR),
        ("deribit:BTC-PERPETUAL", "BTC", ContractKind.INVERSE),
        ("bitmex:XBTUSD", "BTC", ContractKind.INVERSE),
        ("binance:1000PEPEUSDT", "1000PEPE", ContractKind.LINEAR),
    ],
)
def test_what_symbols_mean(name, base, kind):
    found = describe(InstrumentId.parse(name))
    assert (found.base, found.kind) == (base, kind)


def test_names_are_read_in_any_case_and_refused_without_a_venue():
    assert str(InstrumentId.parse(" Binance:btcusdt ")) == "binance:BTCUSDT"
    for bad in ("BTCUSDT", ":BTC", "binance:", "bin ance:BTC", "a:b:c d"):
        with pytest.raises(BadArgument, match="venue:SYMBOL"):
            InstrumentId.parse(bad)


def test_a_row_is_known_when_it_was_received_else_at_the_end_of_its_interval():
    one = InstrumentId("a", "B")
    words = {"instrument": one, "ts_venue": 100, "ts_recv": None}
    bar = {"price_kind": PriceKind.MARK, "interval_ns": 60, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0}
    empty = {"volume_base": None, "taker_buy_base": None}
    assert Bar(**words, **bar, **empty).known_at == 160
    assert Bar(**(words | {"ts_recv": 175}), **bar, **empty).known_at == 175
    assert OpenInterest(**words, open_interest_base=1.0).known_at == 100
    sums = {"interval_ns": 60, "long_usd": 0.0, "short_usd": 0.0, "venues": ("a",), "completeness": Completeness.ALL}
    assert LiquidationTotal(**words, **sums).known_at == 160


def test_a_cell_holds_its_lower_edge_and_not_its_upper():
    # step ln 2: cells [1, 2), [2, 4), [4, 8)
    grid = PriceGrid(math.log(2.0), 0, 3)
    assert grid.edges == pytest.approx([1, 2, 4, 8])
    assert [grid.index(p) for p in (1.0, 1.99, 3.0, 7.9, 9.0)] == [0, 0, 1, 2, 3]


@given(st.floats(1e-6, 1e6), st.floats(1.0, 3.0), st.sampled_from([0.0005, 0.002, 0.01]))
def test_grids_of_one_step_line_up(price, ratio, step):
    wide, narrow = PriceGrid.covering(price / ratio, price * ratio, step), PriceGrid.covering(price, price, step)
    assert narrow.size == 1
    assert wide.first <= narrow.first < wide.first + wide.size
    at = narrow.first - wide.first
    assert wide.edges[at] == pytest.approx(narrow.edges[0], rel=1e-12)
    assert np.all(np.diff(wide.edges) > 0)


def test_signs_of_sides():
    assert (PositionSide.LONG.sign, PositionSide.SHORT.sign) == (1, -1)
