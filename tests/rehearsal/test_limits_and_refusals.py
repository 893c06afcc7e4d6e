"""The client keeps to every published limit as the venue counts it, and understands how each venue turns it away."""

from __future__ import annotations

import asyncio
import random

import pytest
from desk import DIALECTS, NOW_NS, WORLD, dialect_of, pairs, specs_of

from liqscape.model import InstrumentSpec, PriceKind
from liqscape.testing.exchange import Asked, MemoryTransport, Refusal, RehearsalExchange, every_dialect
from liqscape.testing.exchange.memory import asked_of
from liqscape.testing.virtual import VirtualLoop, run_virtual
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.base import Answer, Ask, Venue
from liqscape.venues.client import Client
from liqscape.venues.registry import VENUES

every = pytest.mark.parametrize("key", VENUES)


def everything(venue: Venue, spec: InstrumentSpec) -> list[Ask]:
    """Return one ask of each kind about a contract."""
    start, end = NOW_NS - NS_PER_HOUR, NOW_NS - NOW_NS % NS_PER_MINUTE
    asks: list[Ask | None] = [
        *(venue.ask_bars(spec, kind, start - start % NS_PER_MINUTE, end) for kind in PriceKind),
        venue.ask_open_interest(spec, start, end),
        venue.ask_funding(spec, start, end),
        venue.ask_book(spec),
        venue.ask_liquidations(spec, start, end),
        *venue.ask_ratios(spec, start, end),
    ]
    return [ask for ask in asks if ask is not None]


@every
def test_a_busy_client_never_exceeds_a_limit(key: str):
    venue = VENUES[key]
    specs = specs_of(key)
    again = 1 if key == "okx" else 4  # its books of 5,000 levels take long to read

    async def main(loop: VirtualLoop) -> RehearsalExchange:
        exchange = RehearsalExchange(every_dialect(WORLD, [dialect_of(venue).key]))
        client = Client(venue, MemoryTransport(exchange, loop), now_ns=loop.now_ns, chance=random.Random(1))
        asks = [ask for spec in specs.values() for ask in everything(venue, spec)]
        asks += venue.ask_tickers(specs) + venue.ask_tiers(specs) + venue.ask_instruments()
        # As a recorder that starts does: everything at once, again and again.
        answers = await asyncio.gather(*(client.run(ask, patience_s=3_600.0) for _ in range(again) for ask in asks))
        assert sum(1 for rows in answers if rows) >= again * len(specs)
        return exchange

    exchange = run_virtual(main, start_ns=NOW_NS)
    assert exchange.meter.exceeded == []


@pytest.mark.parametrize("name", [name for name in DIALECTS if DIALECTS[name].costs(Asked(DIALECTS[name].hosts[0], "/api/x"))])
def test_a_client_without_manners_is_turned_away_in_the_venues_own_way(name: str):
    dialect = DIALECTS[name]
    venue = next(one for one in VENUES.values() if dialect_of(one) is dialect)
    exchange = RehearsalExchange([dialect])
    spec, _ = pairs(venue.facts.key)[0]
    ask = venue.ask_book(spec)
    assert ask is not None
    request = ask.request
    url = venue.facts.hosts[request.host] + request.path
    asked = asked_of(request.method, url, request.params, request.headers, request.body)
    _, weight, capacity, per_s = dialect.costs(asked)[0]
    for number in range(int(capacity // weight) + 1):
        answer = exchange.request(asked, NOW_NS + number).answer
        assert answer is not None
        judged = venue.judge(answer.status, answer.headers, answer.body).answer
        assert judged is (Answer.FINE if number < int(capacity // weight) else Answer.LIMITED), f"{name} {number}"
    assert [excess.key for excess in exchange.meter.exceeded] == [name]
    later = exchange.request(asked, NOW_NS + round((per_s + 1.0) * 1e9)).answer
    assert later is not None
    assert venue.judge(later.status, later.headers, later.body).answer is Answer.FINE


@pytest.mark.parametrize("refusal", Refusal)
@every
def test_each_way_to_be_turned_away_is_understood(key: str, refusal: Refusal):
    venue = VENUES[key]
    answer = dialect_of(venue).refuse(refusal, 30.0, NOW_NS)
    judged = venue.judge(answer.status, answer.headers, answer.body)
    meant = {
        Refusal.LIMITED: {Answer.LIMITED},
        # Where the documentation names no ban, a 403 may also mean that the country is shut out: it is not asked again.
        Refusal.BANNED: {Answer.BANNED, Answer.LIMITED, Answer.REFUSED},
        Refusal.MAINTENANCE: {Answer.BUSY},
    }
    assert judged.answer in meant[refusal], f"{answer.status} {answer.body[:200]!r}: {judged}"


@every
def test_a_symbol_that_is_none_is_refused_and_not_asked_for_again(key: str):
    venue = VENUES[key]
    dialect = dialect_of(venue)
    spec, _ = pairs(key)[0]
    ask = venue.ask_book(spec)
    assert ask is not None
    request = ask.request
    symbol = spec.id.symbol
    path = request.path.replace(symbol, "NOTHING")
    params = {name: value.replace(symbol, "NOTHING") for name, value in request.params.items()}
    body = None if request.body is None else request.body.replace(symbol.encode(), b"NOTHING")
    asked = asked_of(request.method, venue.facts.hosts[request.host] + path, params, request.headers, body)
    answer = RehearsalExchange([dialect]).request(asked, NOW_NS).answer
    assert answer is not None
    judged = venue.judge(answer.status, answer.headers, answer.body)
    # Hyperliquid says null in a 500 where others refuse.
    meant = Answer.BUSY if key == "hyperliquid" else Answer.REFUSED
    assert judged.answer is meant, f"{answer.status} {answer.body[:200]!r}: {judged}"
