"""Every dialect by its key."""

from __future__ import annotations

from collections.abc import Sequence

from liqscape.errors import BadArgument
from liqscape.testing.exchange.dialect import Dialect
from liqscape.testing.exchange.dialects.binance import BinanceCoinm, BinanceUsdm
from liqscape.testing.exchange.dialects.bitget import Bitget
from liqscape.testing.exchange.dialects.bitmex import Bitmex
from liqscape.testing.exchange.dialects.bybit import Bybit
from liqscape.testing.exchange.dialects.deribit import Deribit
from liqscape.testing.exchange.dialects.gate import Gate
from liqscape.testing.exchange.dialects.htx import Htx
from liqscape.testing.exchange.dialects.hyperliquid import Hyperliquid
from liqscape.testing.exchange.dialects.kraken import Kraken
from liqscape.testing.exchange.dialects.kucoin import Kucoin
from liqscape.testing.exchange.dialects.mexc import Mexc
from liqscape.testing.exchange.dialects.okx import Okx
from liqscape.testing.exchange.world import World

DIALECTS: dict[str, type[Dialect]] = {
    dialect.key: dialect
    for dialect in (
        BinanceUsdm,
        BinanceCoinm,
        Bybit,
        Okx,
        Hyperliquid,
        Gate,
        Bitget,
        Htx,
        Bitmex,
        Deribit,
        Kraken,
        Mexc,
        Kucoin,
    )
}


def every_dialect(world: World, keys: Sequence[str] = ()) -> list[Dialect]:
    """Return the dialects named, or all of them, telling of one world.

    Raises
    ------
    BadArgument
        If a key is unknown.
    """
    unknown = [key for key in keys if key not in DIALECTS]
    if unknown:
        raise BadArgument(f"rehearsal: no venue {unknown[0]!r}", hint=f"Known: {', '.join(DIALECTS)}.")
    return [DIALECTS[key](world) for key in keys or DIALECTS]
