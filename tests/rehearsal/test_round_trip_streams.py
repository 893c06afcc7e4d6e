"""What the market holds is what our sessions read out of the venues' sockets: prints, tickers, trades, pings."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from desk import NOW_NS, WORLD, Talk, dialect_of, exchange, pairs, talk
from test_round_trip import as_read, as_told, check_ticker, fields

from liqscape.model import ContractKind, Kind, Liquidation, Ticker, Trade
from liqscape.testing.exchange import Listing, Lost, Print
from liqscape.testing.exchange.dialects.bitget import Bitget
from liqscape.testing.exchange.dialects.common import ms
from liqscape.testing.exchange.memory import asked_of
from liqscape.units import NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Stream
from liqscape.venues.registry import VENUES

LASTS_S = 600
# A print of the first seconds may be missed (subscribing takes a while), one of the last may still be on its way.
SKIP_NS, LATE_NS = 10 * NS_PER_S, 40 * NS_PER_S
THROTTLED = ("binance_usdm", "binance_coinm", "okx")


@cache
def heard(key: str) -> dict[str, tuple[Stream, Talk]]:
    """Return what ten minutes of every stream of an adapter brought, by the stream's name."""
    venue = VENUES[key]
    specs = {spec.id.symbol: spec for spec, _ in pairs(key, 4)}
    return {stream.name: (stream, talk(venue, stream, NOW_NS, LASTS_S)) for stream in venue.streams(specs)}


def streaming(kind: Kind) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("key", [key for key, venue in VENUES.items() if kind in venue.facts.streams])


@pytest.mark.parametrize("key", [key for key, venue in VENUES.items() if venue.facts.streams])
def test_every_stream_is_accepted_and_brings_data_before_its_silence_limit(key: str):
    for name, (stream, said) in heard(key).items():
        assert said.refused == [], f"{key} {name}"
        assert said.data_frames > 0, f"{key} {name}"
        if stream.data_silence_s is not None:
            assert said.data_frames >= LASTS_S / stream.data_silence_s, f"{key} {name}"


def held(key: str, listing: Listing, start_ns: int, end_ns: int) -> list[Print]:
    dialect = dialect_of(VENUES[key])
    if isinstance(dialect, Bitget):
        return dialect.shown(listing, start_ns, end_ns)
    return WORLD.liquidations(listing, start_ns, end_ns)


@streaming(Kind.LIQUIDATIONS)
def test_every_print_comes_with_its_side_and_its_size(key: str):
    first, last = NOW_NS + SKIP_NS, NOW_NS + LASTS_S * NS_PER_S - LATE_NS
    rows = [row for _, said in heard(key).values() for row in said.records if isinstance(row, Liquidation)]
    total = 0
    for spec, listing in pairs(key, 4):
        mine = [row for row in rows if row.instrument == spec.id and first <= row.ts_venue < last]
        truth = held(key, listing, first, last)
        if not mine:
            assert not truth, f"{key} {listing.symbol}"
            continue
        kinds = {row.price_kind for row in mine}
        assert len(kinds) == 1
        kind = kinds.pop()
        unit = NS_PER_S if key == "gate" else 1  # as its answers are stamped, so that a print of both is one
        got = Counter(as_read(row, unit) for row in mine)
        known = Counter(as_told(listing, p, kind, unit) for p in truth)
        assert got == known or (key in THROTTLED and got <= known), f"{key} {listing.symbol}: {got - known} | {known - got}"
        total += len(mine)
    assert total > 5, key


@streaming(Kind.TICKERS)
def test_tickers_tell_what_is_true(key: str):
    rows = [row for _, said in heard(key).values() for row in said.records if isinstance(row, Ticker)]
    for spec, listing in pairs(key, 4):
        mine = [row for row in rows if row.instrument == spec.id]
        assert len(mine) >= LASTS_S // 60, f"{key} {listing.symbol}"
        told: dict[str, float] = {}
        for row in mine:
            told |= fields(row)
        # The socket of HTX tells funding alone; a venue may leave open interest to its answers.
        quote = WORLD.ticker(listing, NOW_NS + LASTS_S * NS_PER_S)
        assert told, key
        if "mark_price" in told:
            assert told["mark_price"] == pytest.approx(quote.mark, rel=0.01), key
        if "index_price" in told:
            assert told["index_price"] == pytest.approx(quote.index, rel=0.01), key
        if {"mark_price", "open_interest_base"} <= set(told):
            newest = max(row.ts_venue for row in mine if row.open_interest_base is not None)
            one_side = listing.base_of(WORLD.open_interest(listing, newest), told["mark_price"])
            assert told["open_interest_base"] == pytest.approx(one_side, rel=0.02), f"{key} {listing.symbol}"
        if "funding_rate" in told:
            assert told["funding_rate"] == pytest.approx(quote.funding_rate, rel=1e-6), f"{key} {listing.symbol}"
        if "next_funding_ns" in told:
            assert told["next_funding_ns"] == quote.next_funding_ns, f"{key} {listing.symbol}"


@streaming(Kind.TICKERS)
def test_a_whole_ticker_tells_the_instant_it_is_stamped_with(key: str):
    rows = [row for _, said in heard(key).values() for row in said.records if isinstance(row, Ticker)]
    for spec, listing in pairs(key, 4):
        whole = [row for row in rows if row.instrument == spec.id and row.mark_price and row.open_interest_base]
        for row in whole[:: max(1, len(whole) // 5)]:
            check_ticker(key, listing, fields(row), row.ts_venue)


@streaming(Kind.TRADES)
def test_every_trade_comes_with_its_taker(key: str):
    first, last = NOW_NS + SKIP_NS, NOW_NS + LASTS_S * NS_PER_S - LATE_NS
    rows = [row for _, said in heard(key).values() for row in said.records if isinstance(row, Trade)]
    for spec, listing in pairs(key, 4):
        mine = [row for row in rows if row.instrument == spec.id and first <= row.ts_venue < last]
        truth = WORLD.trades(listing, first, last)
        got = Counter((row.price, float(f"{row.quantity_base:.8g}"), row.ts_venue) for row in mine)
        known = Counter((p.price, float(f"{listing.base_of(p.quantity, p.price):.8g}"), p.ts_ns) for p in truth)
        assert got == known, f"{key} {listing.symbol}: {got - known} | {known - got}"
        plain = Counter((p.taker_side, p.ts_ns) for p in truth if p.bankruptcy is None)
        assert plain <= Counter((row.taker_side, row.ts_venue) for row in mine), key


def test_hyperliquid_names_buyer_and_seller():
    rows = [row for _, said in heard("hyperliquid").values() for row in said.records if isinstance(row, Trade)]
    accounts = dialect_of(VENUES["hyperliquid"]).accounts  # type: ignore[attr-defined]
    known = {*accounts.listed, *accounts.small}
    assert rows
    assert all(row.accounts is not None and set(row.accounts) <= known for row in rows)


def test_htx_is_answered_in_its_own_text_or_hangs_up():
    venue = VENUES["htx"]
    specs = {spec.id.symbol: spec for spec, _ in pairs("htx", 4)}
    stream = venue.streams(specs)[0]
    said = talk(venue, stream, NOW_NS, 120)
    assert said.replies >= 120 // 5 - 1  # one for each ping
    with pytest.raises(Lost, match="closed"):
        talk(venue, stream, NOW_NS, 120, answering=False)


def test_deribit_tests_its_client_or_hangs_up():
    venue = VENUES["deribit"]
    specs = {spec.id.symbol: spec for spec, _ in pairs("deribit", 4)}
    stream = venue.streams(specs)[0]
    said = talk(venue, stream, NOW_NS, 180)
    assert said.replies >= 2
    with pytest.raises(Lost, match="closed"):
        talk(venue, stream, NOW_NS, 300, answering=False)


def test_kraken_and_hyperliquid_replay_what_was_before():
    for key in ("kraken", "hyperliquid"):
        rows = [row for _, said in heard(key).values() for row in said.records if isinstance(row, Trade | Liquidation)]
        early = [row for row in rows if row.ts_venue < NOW_NS]
        listing = pairs(key, 4)[0][1]
        assert early, key
        for row in early:
            if row.instrument.symbol == listing.symbol and isinstance(row, Trade):
                assert ms(row.ts_venue) in {ms(p.ts_ns) for p in WORLD.trades(listing, NOW_NS - 60 * NS_PER_MINUTE, NOW_NS)}


@pytest.mark.parametrize("key", [key for key, venue in VENUES.items() if venue.facts.streams])
def test_what_a_venue_pushes_does_not_depend_on_how_often_it_is_looked_at(key: str):
    venue = VENUES[key]
    specs = {spec.id.symbol: spec for spec, _ in pairs(key, 4)}
    for stream in venue.streams(specs):
        address = asked_of("GET", venue.facts.hosts[stream.host] + stream.path, {}, {}, None)
        found: list[list[tuple[int, str | bytes]]] = []
        for step in (20.0, 0.7, 3.3):
            link, _ = exchange().open(address, NOW_NS)
            for message in stream.session().opening():
                link.conversation.receive(message, NOW_NS)
            frames: list[tuple[int, str | bytes]] = []
            at, end = NOW_NS, NOW_NS + 20 * NS_PER_S
            while at < end:
                until = min(end, at + round(step * NS_PER_S))
                frames += link.conversation.frames(at, until)
                at = until
            found.append(frames)
        assert found[0] == found[1] == found[2], f"{key} {stream.name}"


def test_inverse_and_linear_contracts_were_both_heard():
    kinds = {listing.kind for key in VENUES for _, listing in pairs(key, 4)}
    assert kinds == set(ContractKind)
