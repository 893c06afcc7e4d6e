"""Every adapter by its key. Adding a venue is adding its folder and one line here (docs/venues.md has a worked example)."""

from __future__ import annotations

from liqscape.errors import BadArgument
from liqscape.venues.base import Venue
from liqscape.venues.binance_coinm import BinanceCoinm
from liqscape.venues.binance_usdm import BinanceUsdm
from liqscape.venues.bitget import Bitget
from liqscape.venues.bitmex import Bitmex
from liqscape.venues.bybit import Bybit
from liqscape.venues.deribit import Deribit
from liqscape.venues.gate import Gate
from liqscape.venues.htx import Htx
from liqscape.venues.hyperliquid import Hyperliquid
from liqscape.venues.kraken import Kraken
from liqscape.venues.kucoin import Kucoin
from liqscape.venues.longtail_client import tail_of
from liqscape.venues.mexc import Mexc
from liqscape.venues.okx import Okx

VENUES: dict[str, Venue] = {
    venue.facts.key: venue
    for venue in (
        BinanceUsdm(),
        BinanceCoinm(),
        Bybit("linear"),
        Bybit("inverse"),
        Bitmex(),
        Deribit(),
        Kraken(),
        Hyperliquid(),
        Okx(),
        Bitget(),
        Gate(),
        Htx(),
        Mexc(),
        Kucoin(),
    )
}


def choose(names: tuple[str, ...] = ()) -> tuple[Venue, ...]:
    """Return the adapters that names mean: a key (`bybit_linear`) or a venue (`bybit`, both); empty means all.

    `ccxt:phemex` is any other venue, through ccxt.

    Raises
    ------
    BadArgument
        If a name is none of them.
    NoData
        If ccxt is needed and not installed.
    """
    chosen: dict[str, Venue] = {}
    for name in names or tuple(VENUES):
        if (tail := tail_of(name.lower())) is not None:
            chosen[tail.facts.key] = tail
            continue
        found = {key: venue for key, venue in VENUES.items() if name.lower() in (key, venue.facts.venue)}
        if not found:
            known = sorted({venue.facts.venue for venue in VENUES.values()})
            raise BadArgument(
                f"venue: no adapter for {name!r}", hint=f"Known: {', '.join(known)}; others through ccxt: ccxt:phemex."
            )
        chosen |= found
    return tuple(chosen.values())
