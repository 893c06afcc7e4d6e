"""KuCoin: its addresses, limits and requests. Everything is asked for.

Its WebSocket wants a token of its own for each connection (POST bullet-public), and carries no liquidations that would need
one: mark, index and open interest of all contracts come in one cheap request instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from liqscape.model import Completeness, ContractKind, InstrumentSpec, Kind, PriceKind
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues import wire
from liqscape.venues.base import Answer, Ask, Bucket, Doubt, Facts, Judgement, Request, Specs, Stream, Venue, judge_status
from liqscape.venues.kucoin import parse, payloads
from liqscape.venues.wire import MS

_STATUS = wire.decoder(payloads.Status)
_FINE, _POOL_EMPTY, _BLOCKED_10S, _BLOCKED_30S = "200000", "429000", "200002", "1015"


class Kucoin(Venue):
    """KuCoin perpetuals, linear and inverse."""

    def __init__(self) -> None:
        asks = {Kind.INSTRUMENTS, Kind.BARS, Kind.TICKERS, Kind.OPEN_INTEREST, Kind.FUNDING, Kind.DEPTH, Kind.TIERS}
        self.facts = Facts(
            key="kucoin",
            venue=parse.VENUE,
            title="KuCoin",
            completeness=Completeness.UNKNOWN,
            completeness_note="publishes no liquidations: price and open interest only, all of it asked for",
            streams=frozenset(),
            asks=frozenset(asks),
            hosts={"rest": "https://api-futures.kucoin.com", "ua": "https://api.kucoin.com"},
            # https://www.kucoin.com/docs-new/rate-limit: the public pool, and each request's weight.
            buckets={"public": Bucket(2000, 30)},
            # "5min: 7 days": an hour less, so that a request on its way does not become too old.
            history_ns={Kind.OPEN_INTEREST: 7 * NS_PER_DAY - NS_PER_HOUR},
            page={Kind.BARS: 200, Kind.OPEN_INTEREST: 200, Kind.FUNDING: 100},
            open_interest_interval_ns=5 * NS_PER_MINUTE,
            doubts=(
                Doubt("open interest counts one side", "the documentation is silent; nothing on the wire would show it"),
                Doubt("nextFundingRateTime is what is left until then", "more than a week is refused"),
                Doubt("risk limits are in the currency of settlement", "the documentation names none"),
                Doubt("open-interest history takes from the public pool, 10 a request", "HTTP 429 is obeyed if it does not"),
            ),
        )

    def _ask(
        self,
        name: str,
        kind: Kind,
        path: str,
        params: Mapping[str, object],
        weight: float,
        parser: wire.Parser,
        host: str = "rest",
    ) -> Ask:
        query = {key: str(value) for key, value in params.items()}
        return Ask(name, kind, Request(host, path, query, costs=(("public", weight),)), parser)

    def ask_instruments(self) -> list[Ask]:
        return [self._ask("contracts", Kind.INSTRUMENTS, "/api/v1/contracts/active", {}, 3, parse.instruments)]

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        path = "/api/v1/contracts/active"
        return [self._ask("contracts", Kind.TICKERS, path, {}, 3, lambda b, t: parse.tickers(b, specs, t))]

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask | None:
        if price_kind is not PriceKind.LAST:
            return None
        params = {"symbol": spec.id.symbol, "granularity": 1, "from": start_ns // MS, "to": end_ns // MS - 1}
        return self._ask(
            f"kline {spec.id.symbol}",
            Kind.BARS,
            "/api/v1/kline/query",
            params,
            3,
            lambda b, t: wire.between(parse.bars(b, spec, t), start_ns, end_ns),
        )

    def ask_open_interest(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask | None:
        if spec.kind is ContractKind.INVERSE:
            return None
        times = {"startAt": start_ns // MS, "endAt": end_ns // MS - 1}
        return self._ask(
            f"open-interest {spec.id.symbol}",
            Kind.OPEN_INTEREST,
            "/api/ua/v1/market/open-interest",
            {"symbol": spec.id.symbol, "interval": "5min", **times, "pageSize": 200},
            10,
            lambda b, t: wire.between(parse.open_interest(b, spec, t), start_ns, end_ns),
            "ua",
        )

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        params = {"symbol": spec.id.symbol, "from": start_ns // MS, "to": end_ns // MS - 1}
        path = "/api/v1/contract/funding-rates"

        def read(body: bytes, recv_ns: int) -> wire.Parsed:
            return wire.between(parse.funding(body, spec, recv_ns), start_ns, end_ns)

        return self._ask(f"funding {spec.id.symbol}", Kind.FUNDING, path, params, 5, read)

    def ask_book(self, spec: InstrumentSpec) -> Ask:
        params = {"symbol": spec.id.symbol}
        path = "/api/v1/level2/snapshot"
        return self._ask(f"book {spec.id.symbol}", Kind.DEPTH, path, params, 3, lambda b, t: parse.book(b, spec, t))

    def ask_tiers(self, specs: Specs) -> list[Ask]:
        def ask(spec: InstrumentSpec) -> Ask:
            path = f"/api/v1/contracts/risk-limit/{spec.id.symbol}"
            return self._ask(f"risk-limit {spec.id.symbol}", Kind.TIERS, path, {}, 5, lambda b, t: parse.tiers(b, spec, t))

        return [ask(spec) for spec in specs.values()]

    def streams(self, specs: Specs) -> list[Stream]:
        """Return none: see the module."""
        return []

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> Judgement:
        """Refusals hide in `code`; a limited answer says in a header how many ms remain; HTTP 403 is a ban of the address."""
        if status == 403:
            return Judgement(Answer.BANNED, None, body[:200].decode(errors="replace"))
        judged = judge_status(status, headers, body)
        if judged.answer is Answer.LIMITED:
            return Judgement(Answer.LIMITED, judged.wait_s if judged.wait_s is not None else _reset_s(headers), judged.words)
        if judged.answer is not Answer.FINE:
            return judged
        found = wire.decode(_STATUS, body, parse.VENUE, "answer")
        if found.code == _FINE:
            return judged
        words = f"{found.code} {found.msg}".strip()
        waits = {_POOL_EMPTY: _reset_s(headers), _BLOCKED_10S: 10.0, _BLOCKED_30S: 30.0}
        return (
            Judgement(Answer.LIMITED, waits[found.code], words) if found.code in waits else Judgement(Answer.REFUSED, None, words)
        )


def _reset_s(headers: Mapping[str, str]) -> float | None:
    try:
        left_ms = float(headers["gw-ratelimit-reset"])
    except (KeyError, ValueError):
        return None
    return max(0.0, left_ms / 1000.0) if math.isfinite(left_ms) else None
