"""Binance COIN-M: contracts of 100 USD (BTC) or 10 USD, margined in the coin. What it shares with USD-M is not repeated."""

from __future__ import annotations

from liqscape.model import Completeness, InstrumentSpec, Kind
from liqscape.units import NS_PER_MINUTE
from liqscape.venues.base import Ask, Doubt, Facts, Specs, Stream
from liqscape.venues.binance_usdm import BinanceUsdm, parse
from liqscape.venues.binance_usdm.venue import ASKS, BUCKETS, DOUBTS, HISTORY, PAGE


class BinanceCoinm(BinanceUsdm):
    """COIN-M perpetuals."""

    api = "/dapi/v1"
    market = parse.COINM
    brackets = "/bapi/futures/v1/friendly/delivery/common/brackets"

    def __init__(self) -> None:
        super().__init__()
        self.facts = Facts(
            key="binance_coinm",
            venue=parse.VENUE,
            title="Binance COIN-M",
            completeness=Completeness.THROTTLED,
            completeness_note="at most one order per symbol and second is published",
            streams=frozenset({Kind.LIQUIDATIONS, Kind.TICKERS}),
            asks=ASKS,
            hosts={"rest": "https://dapi.binance.com", "ws": "wss://dstream.binance.com", "web": "https://www.binance.com"},
            buckets=BUCKETS,
            history_ns=HISTORY,
            page=PAGE,
            open_interest_interval_ns=5 * NS_PER_MINUTE,
            doubts=(
                Doubt("limits are those of USD-M and counted apart from it", "HTTP 429 is obeyed if they are not"),
                Doubt("ratios are a pair's: quarterly contracts are counted with the perpetual", "there is no other number"),
                Doubt("the market's streams are not split by path as those of USD-M", "silence of the marks for 10 s"),
                *DOUBTS,
            ),
        )

    def _key(self, spec: InstrumentSpec) -> dict[str, str]:
        return {"pair": spec.id.symbol.partition("_")[0]}

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        """Ask for volumes of all, and of each for its mark and with it for its open interest, which is told in contracts."""
        return [self._volumes(specs), *(self._mark_then_open_interest(spec) for spec in specs.values())]

    def _mark_then_open_interest(self, spec: InstrumentSpec) -> Ask:
        def more(body: bytes) -> Ask | None:
            mark = parse.mark_price(body)
            return None if mark is None else self._open_interest_now(spec, mark)

        first = self._ask(
            f"premiumIndex {spec.id.symbol}",
            Kind.TICKERS,
            f"{self.api}/premiumIndex",
            {"symbol": spec.id.symbol},
            ("weight", 10),
            lambda b, t: parse.premium(b, {spec.id.symbol: spec}, t),
        )
        return Ask(first.name, first.kind, first.request, first.parse, more)

    def ask_open_interest(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        ask = super().ask_open_interest(spec, start_ns, end_ns)
        params = {**ask.request.params, "contractType": "PERPETUAL"}
        return self._ask(ask.name, ask.kind, ask.request.path, params, ("data", 1), ask.parse)

    def streams(self, specs: Specs) -> list[Stream]:
        """Return one socket; marks are named one by one, for all of them at once are not offered here."""
        names = ["!forceOrder@arr", *(f"{symbol.lower()}@markPrice@1s" for symbol in sorted(specs))]
        return [self._stream("/stream", names, specs)] if specs else []
