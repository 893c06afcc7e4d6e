"""Ranking instruments where a venue answers for one at a time: one refusal costs one instrument, and nobody waits in a row."""

from __future__ import annotations

import pytest

from liqscape.engine.recording.wanted import ask_specs, ask_tickers
from liqscape.errors import VenueError
from liqscape.testing.exchange import MemoryTransport, RehearsalExchange, World
from liqscape.testing.exchange.dialect import Answer
from liqscape.testing.exchange.dialects.binance import BinanceUsdm
from liqscape.testing.virtual import VirtualLoop, run_virtual
from liqscape.venues.client import Client
from liqscape.venues.registry import VENUES

COINS = tuple(f"C{n:02}" for n in range(40))


class Refusing(MemoryTransport):
    """Refuses every request whose symbol is in `refused`; all requests if that is None."""

    refused: frozenset[str] | None = frozenset()

    async def request(self, method, url, *, params, headers, body, timeout_s):
        if self.refused is None or params.get("symbol") in self.refused:
            return Answer(400, b'{"code":-1121,"msg":"Invalid symbol."}', {})
        return await super().request(method, url, params=params, headers=headers, body=body, timeout_s=timeout_s)


def _client(loop: VirtualLoop) -> tuple[Client, Refusing]:
    transport = Refusing(RehearsalExchange([BinanceUsdm(World(1, COINS))]), loop)
    return Client(VENUES["binance_usdm"], transport, now_ns=loop.now_ns), transport


def test_one_refusal_costs_one_instrument():
    async def main(loop: VirtualLoop) -> None:
        client, transport = _client(loop)
        specs = {spec.id.symbol: spec for spec in await ask_specs(client)}
        assert len(specs) == len(COINS)
        transport.refused = frozenset({"C07USDT"})
        began = loop.time()
        tickers = await ask_tickers(client, specs)
        held = {one.instrument.symbol for one in tickers if one.open_interest_base is not None}
        assert held == set(specs) - {"C07USDT"}
        # Forty requests of about a tenth of a second, several at a time.
        assert loop.time() - began < 2.0

    run_virtual(main)


def test_nothing_at_all_is_an_error():
    async def main(loop: VirtualLoop) -> None:
        client, transport = _client(loop)
        specs = {spec.id.symbol: spec for spec in await ask_specs(client)}
        transport.refused = None
        with pytest.raises(VenueError, match="Invalid symbol"):
            await ask_tickers(client, specs)

    run_virtual(main)
