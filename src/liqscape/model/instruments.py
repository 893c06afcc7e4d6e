"""What is traded: `binance:BTCUSDT`, its base, quote and contract kind."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from liqscape.errors import BadArgument
from liqscape.model.sides import ContractKind

_VENUE = re.compile(r"[a-z0-9_]+")
_SYMBOL = re.compile(r"[A-Z0-9_\-./:]+")
# Longest first, so that BTCUSDT is BTC/USDT and not BTCUSD/T.
_QUOTES = ("FDUSD", "USDT", "USDC", "USDE", "USD1", "USD")
# Kraken: perpetual and dated (P, F), inverse and multi-collateral (I, F); dated contracts end with their day.
_KRAKEN = re.compile(r"(?P<line>[PF][IF])_(?P<base>[A-Z0-9]+)(?P<quote>USD|EUR|GBP)(_\d{6})?")
# What Hyperliquid lists a thousand at a time, as kPEPE; others write 1000PEPE.
_THOUSANDS = frozenset({"KBONK", "KDOGS", "KFLOKI", "KLUNC", "KNEIRO", "KPEPE", "KSHIB"})
_SUFFIX = re.compile(r"(_PERP|-PERPETUAL|-SWAP|_UMCBL|-PERP|M)$")


class InstrumentId(Struct, frozen=True, order=True):
    """A venue and its own symbol, written `venue:SYMBOL`.

    Parameters
    ----------
    venue
        Lower-case name of the exchange, such as `binance`.
    symbol
        The venue's symbol in capitals, such as `BTCUSDT`.
    """

    venue: str
    symbol: str

    @classmethod
    def parse(cls, text: str) -> InstrumentId:
        """Read `binance:BTCUSDT`; case does not matter.

        Raises
        ------
        BadArgument
            If there is no venue before the colon or no symbol behind it.
        """
        venue, colon, symbol = text.strip().partition(":")
        venue, symbol = venue.lower(), symbol.upper()
        if not colon or not _VENUE.fullmatch(venue) or not _SYMBOL.fullmatch(symbol):
            raise BadArgument(f"instrument: expected venue:SYMBOL, received {text!r}", hint="Write it like binance:BTCUSDT.")
        return cls(venue, symbol)

    def __str__(self) -> str:
        return f"{self.venue}:{self.symbol}"


class Instrument(Struct, frozen=True):
    """What a symbol means.

    Parameters
    ----------
    base, quote
        Coin and the currency of its price, in capitals; quote is None where the symbol does not tell.
    kind
        Linear (margin in quote) or inverse (margin in base).
    """

    id: InstrumentId
    base: str
    quote: str | None
    kind: ContractKind


@lru_cache(maxsize=4096)
def describe(instrument: InstrumentId) -> Instrument:
    """Read base, quote and contract kind out of a venue's symbol.

    A symbol quoted in plain USD is an inverse contract on the venues that write it so (Binance COIN-M `BTCUSD_PERP`, Bybit
    `BTCUSD`, OKX `BTC-USD-SWAP`, Deribit `BTC-PERPETUAL`, Kraken `PI_XBTUSD`), except on Hyperliquid, whose symbols are bare
    coins margined in USDC, and in Kraken's multi-collateral line (`PF_XBTUSD`).

    Examples
    --------
    >>> describe(InstrumentId("binance", "BTCUSDT")).base
    'BTC'
    >>> describe(InstrumentId("okx", "ETH-USD-SWAP")).kind
    <ContractKind.INVERSE: 'inverse'>
    """
    if instrument.venue == "hyperliquid":
        scaled = instrument.symbol in _THOUSANDS
        base = f"1000{instrument.symbol[1:]}" if scaled else instrument.symbol
        return Instrument(instrument, base, "USDC", ContractKind.LINEAR)
    if instrument.venue == "kraken" and (line := _KRAKEN.fullmatch(instrument.symbol)):
        kind = ContractKind.LINEAR if line["line"] in ("PF", "FF") else ContractKind.INVERSE
        return Instrument(instrument, "BTC" if line["base"] == "XBT" else line["base"], line["quote"], kind)
    core = _SUFFIX.sub("", instrument.symbol) if not instrument.symbol.endswith(_QUOTES) else instrument.symbol
    core = core.replace("-", "").replace("_", "").replace("/", "")
    for quote in _QUOTES:
        base = core.removesuffix(quote)
        if base and base != core:
            kind = ContractKind.INVERSE if quote == "USD" else ContractKind.LINEAR
            return Instrument(instrument, "BTC" if base == "XBT" else base, quote, kind)
    kind = ContractKind.INVERSE if instrument.venue == "deribit" else ContractKind.LINEAR
    return Instrument(instrument, "BTC" if core == "XBT" else core, None, kind)
