"""Binance USD-M: its addresses, limits, requests and streams. COIN-M is the same with other names (`binance_coinm`)."""

from __future__ import annotations

from collections.abc import Mapping

from liqscape.model import Completeness, InstrumentSpec, Kind, Population, PriceKind
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues import wire
from liqscape.venues.base import (
    NOTHING,
    Answer,
    Ask,
    Bucket,
    Doubt,
    Facts,
    Judgement,
    Received,
    Request,
    Session,
    Specs,
    Stream,
    Venue,
    judge_status,
)
from liqscape.venues.binance_usdm import parse, payloads
from liqscape.venues.wire import MS

_HEAD = wire.decoder(payloads.Head)
_STATUS = wire.decoder(payloads.Status)
# The name of the stream stands at the beginning of a frame: enough is looked at to tell the frames apart without decoding twice.
_BEGINNING = 64

# Weight of klines by rows asked for, of depth by levels; https://developers.binance.com/docs/derivatives/usds-margined-futures
# (request weights, 2400 a minute and address; /futures/data: 1000 requests in 5 minutes; funding: 500 in 5 minutes).
BUCKETS = {
    "weight": Bucket(2400, 60),
    "data": Bucket(1000, 300),
    "funding": Bucket(500, 300),
    "web": Bucket(6, 60),  # the website states no limit: we hold ourselves to this one
}
# 499 rows cost 2, that is 250 rows a weight; 1500 cost 10.
PAGE = {Kind.BARS: 499, Kind.MARK_BARS: 499, Kind.OPEN_INTEREST: 500, Kind.RATIOS: 500, Kind.FUNDING: 1000}
_BOOK_LEVELS, _BOOK_WEIGHT = 1000, 20
# "Only the data of the latest 30 days": an hour less, so that a request on its way does not become too old.
_DATA_HISTORY = 30 * NS_PER_DAY - NS_PER_HOUR
ASKS = frozenset(
    {
        Kind.INSTRUMENTS,
        Kind.BARS,
        Kind.MARK_BARS,
        Kind.TICKERS,
        Kind.OPEN_INTEREST,
        Kind.FUNDING,
        Kind.RATIOS,
        Kind.DEPTH,
        Kind.TIERS,
    }
)
HISTORY = {Kind.OPEN_INTEREST: _DATA_HISTORY, Kind.RATIOS: _DATA_HISTORY}
DOUBTS = (
    Doubt("top-trader ratios answer without a key", "a refusal (HTTP 401 or code -2014) is reported and costs nothing else"),
    Doubt(
        "the margin table is the website's own, not documented",
        "an answer of another shape is refused; without one the table of the margin page is used",
    ),
    Doubt("openInterest counts one side", "the documentation is silent; nothing on the wire would show it"),
    Doubt("coins named in Chinese and contracts priced in BTC or U are left out", "their symbols would be misread"),
)
_RATIOS = (
    ("globalLongShortAccountRatio", Population.ACCOUNTS),
    ("topLongShortAccountRatio", Population.TOP_ACCOUNTS),
    ("topLongShortPositionRatio", Population.TOP_POSITIONS),
)


class Talk(Session):
    """Says nothing: the subscription stands in the address."""

    def __init__(self, specs: Specs) -> None:
        self.specs = specs

    def opening(self) -> list[str]:
        return []

    def receive(self, frame: str | bytes, recv_ns: int) -> Received:
        beginning = frame[:_BEGINNING] if isinstance(frame, str) else frame[:_BEGINNING].decode("ascii", "replace")
        if "forceOrder" in beginning:
            return Received(parse.liquidations(frame, self.specs, recv_ns), None, True)
        if "markPrice" in beginning:
            return Received(parse.marks(frame, self.specs, recv_ns), None, True)
        head = wire.decode(_HEAD, frame, parse.VENUE, "frame")
        if head.error is not None:
            return Received([], refused=f"{head.error.code} {head.error.msg}")
        # Another topic of the market: it shows that the socket is on the right path.
        return NOTHING if head.stream is None else Received([], data=True)


class BinanceUsdm(Venue):
    """USD-M perpetuals (USDT, USDC)."""

    api = "/fapi/v1"
    market = parse.USDM
    brackets = "/bapi/futures/v1/friendly/future/common/brackets"

    def __init__(self) -> None:
        self.facts = Facts(
            key="binance_usdm",
            venue=parse.VENUE,
            title="Binance USD-M",
            completeness=Completeness.THROTTLED,
            completeness_note="at most one order per symbol and second is published",
            streams=frozenset({Kind.LIQUIDATIONS, Kind.TICKERS}),
            asks=ASKS,
            hosts={"rest": "https://fapi.binance.com", "ws": "wss://fstream.binance.com", "web": "https://www.binance.com"},
            buckets=BUCKETS,
            history_ns=HISTORY,
            page=PAGE,
            open_interest_interval_ns=5 * NS_PER_MINUTE,
            doubts=(
                Doubt(
                    "which order of a second is published (the latest or the largest) is told in two ways", "it cannot be seen"
                ),
                Doubt("!forceOrder@arr has carried COIN-M too since 2026-06-30", "each adapter takes its own symbols alone"),
                *DOUBTS,
            ),
        )

    def _ask(
        self, name: str, kind: Kind, path: str, params: Mapping[str, object], cost: tuple[str, float], parser: wire.Parser
    ) -> Ask:
        query = {key: str(value) for key, value in params.items()}
        return Ask(name, kind, Request("rest", path, query, costs=(cost,)), parser)

    def _key(self, spec: InstrumentSpec) -> dict[str, str]:
        """Return how the archives of /futures/data name an instrument."""
        return {"symbol": spec.id.symbol}

    def ask_instruments(self) -> list[Ask]:
        """Ask for exchangeInfo, then for fundingInfo: an instrument funded at another interval comes twice, last correctly."""

        def more(body: bytes) -> Ask:
            found = [row for row in parse.instruments(body, self.market, 0) if isinstance(row, InstrumentSpec)]
            specs = {spec.id.symbol: spec for spec in found}
            return self._ask(
                "fundingInfo",
                Kind.INSTRUMENTS,
                f"{self.api}/fundingInfo",
                {},
                ("funding", 1),
                lambda b, t: parse.funding_intervals(b, specs, t),
            )

        first = self._ask(
            "exchangeInfo",
            Kind.INSTRUMENTS,
            f"{self.api}/exchangeInfo",
            {},
            ("weight", 1),
            lambda b, t: parse.instruments(b, self.market, t),
        )
        return [Ask(first.name, first.kind, first.request, first.parse, more)]

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask:
        kind, path = (Kind.BARS, "klines") if price_kind is PriceKind.LAST else (Kind.MARK_BARS, "markPriceKlines")
        wanted = max(1, min(PAGE[kind], -(-(end_ns - start_ns) // NS_PER_MINUTE)))
        params = {"symbol": spec.id.symbol, "interval": "1m", **_between(start_ns, end_ns), "limit": wanted}
        return self._ask(
            f"{path} {spec.id.symbol}",
            kind,
            f"{self.api}/{path}",
            params,
            ("weight", 1 if wanted < 100 else 2),
            lambda b, t: parse.bars(b, spec, price_kind, t),
        )

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        """Ask for marks and volumes of all, and for the open interest of each: there is no request for all of it."""
        both = [
            self._ask(
                "premiumIndex",
                Kind.TICKERS,
                f"{self.api}/premiumIndex",
                {},
                ("weight", 10),
                lambda b, t: parse.premium(b, specs, t),
            ),
            self._volumes(specs),
        ]
        return both + [self._open_interest_now(spec, 1.0) for spec in specs.values()]

    def _volumes(self, specs: Specs) -> Ask:
        path = f"{self.api}/ticker/24hr"
        return self._ask("ticker/24hr", Kind.TICKERS, path, {}, ("weight", 40), lambda b, t: parse.volumes(b, specs, t))

    def _open_interest_now(self, spec: InstrumentSpec, price: float) -> Ask:
        return self._ask(
            f"openInterest {spec.id.symbol}",
            Kind.TICKERS,
            f"{self.api}/openInterest",
            {"symbol": spec.id.symbol},
            ("weight", 1),
            lambda b, t: parse.open_interest_now(b, spec, price, t),
        )

    def ask_open_interest(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        params = {**self._key(spec), "period": "5m", **_between(start_ns, end_ns), "limit": 500}
        return self._ask(
            f"openInterestHist {spec.id.symbol}",
            Kind.OPEN_INTEREST,
            "/futures/data/openInterestHist",
            params,
            ("data", 1),
            lambda b, t: parse.open_interest(b, spec, t),
        )

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        params = {"symbol": spec.id.symbol, **_between(start_ns, end_ns), "limit": 1000}
        return self._ask(
            f"fundingRate {spec.id.symbol}",
            Kind.FUNDING,
            f"{self.api}/fundingRate",
            params,
            ("funding", 1),
            lambda b, t: parse.funding(b, spec, t),
        )

    def ask_ratios(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> list[Ask]:
        params = {**self._key(spec), "period": "5m", **_between(start_ns, end_ns), "limit": 500}

        def ask(path: str, population: Population) -> Ask:
            return self._ask(
                f"{path} {spec.id.symbol}",
                Kind.RATIOS,
                f"/futures/data/{path}",
                params,
                ("data", 1),
                lambda b, t: parse.ratios(b, spec, population, t),
            )

        return [ask(path, population) for path, population in _RATIOS]

    def ask_book(self, spec: InstrumentSpec) -> Ask:
        return self._ask(
            f"depth {spec.id.symbol}",
            Kind.DEPTH,
            f"{self.api}/depth",
            {"symbol": spec.id.symbol, "limit": _BOOK_LEVELS},
            ("weight", _BOOK_WEIGHT),
            lambda b, t: parse.book(b, spec, t),
        )

    def ask_tiers(self, specs: Specs) -> list[Ask]:
        """Ask the website: leverageBracket of the API needs a key."""
        request = Request("web", self.brackets, costs=(("web", 1),))
        return [Ask("brackets", Kind.TIERS, request, lambda b, t: parse.tiers(b, specs, t))]

    def streams(self, specs: Specs) -> list[Stream]:
        """Return one socket: marks come every second, so that silence shows a path on which nothing is ever sent."""
        return [self._stream("/market/stream", ["!forceOrder@arr", "!markPrice@arr@1s"], specs)] if specs else []

    def _stream(self, path: str, names: list[str], specs: Specs) -> Stream:
        return Stream(
            name="market",
            host="ws",
            path=f"{path}?streams={'/'.join(names)}",
            session=lambda: Talk(specs),
            kinds=(Kind.LIQUIDATIONS, Kind.TICKERS),
            instruments=tuple(spec.id for spec in specs.values()),
            heartbeat_s=15.0,
            silence_s=40.0,
            data_silence_s=10.0,
        )

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> Judgement:
        """Bans are 418; a 403 is no ban, for the website answers so to programs and the API is open then.

        The website hides other refusals in a 200.
        """
        if status == 403:
            return Judgement(Answer.REFUSED, None, body[:200].decode(errors="replace"))
        judged = judge_status(status, headers, body)
        if judged.answer is not Answer.FINE or b'"success"' not in body:
            return judged
        found = wire.decode(_STATUS, body, parse.VENUE, "answer")
        if found.success is not False:
            return judged
        return Judgement(Answer.REFUSED, None, f"{found.code} {found.message or found.msg or ''}".strip())


def _between(start_ns: int, end_ns: int) -> dict[str, int]:
    """Return startTime and endTime (ms, both included) of [start_ns, end_ns)."""
    return {"startTime": start_ns // MS, "endTime": end_ns // MS - 1}
