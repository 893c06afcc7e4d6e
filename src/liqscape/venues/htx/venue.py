"""HTX: its addresses, limits, requests and the stream of its linear swaps.

Liquidations and funding come by notifications, one subscription for all contracts. Mark prices come as 1-minute bars only: no
request gives them for all contracts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import liqscape.clock as clock
from liqscape.model import Completeness, FundingRate, InstrumentSpec, Kind, Population, PriceKind
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S
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
    envelope,
    judge_status,
)
from liqscape.venues.htx import parse, payloads
from liqscape.venues.wire import MS

_HEAD = wire.decoder(payloads.Head)
_STATUS = wire.decoder(payloads.Status)
_PRINTS = b'{"op":"notify","topic":"public.*.liquidation_orders"'
_API, _EX = "/linear-swap-api/v1/", "/linear-swap-ex/market/"
_CANDLES, _SPARE = 2000, 10
_PAST_OPEN_INTEREST = 200
_FUNDING_PAGE = 50
_WINDOW_NS = 2 * NS_PER_HOUR
# err_code of too many requests, and those of the venue's own troubles.
_LIMITED, _BUSY = ("1032",), ("1000", "1001", "1002", "1003", "1004", "1046", "1108")
_RATIOS = {Population.TOP_ACCOUNTS: "swap_elite_account_ratio", Population.TOP_POSITIONS: "swap_elite_position_ratio"}
_DOUBTS = (
    Doubt("the history of open interest and the volumes of klines count both sides, as the present ones do", "doctor compares"),
    Doubt("every liquidation is published", "the feed is marked unknown; its history is compared by doctor"),
    Doubt(
        "a row of /v5/market/liquidation_orders repeats contracts as amount",
        "volume x contract size is checked against trade_turnover, in every row that has one",
    ),
    Doubt("maintenance is adjust_factor / leverage, shown for the highest leverage", "HTX has a ladder for each leverage"),
    Doubt("swap_historical_funding_rate still answers beside its v5 successor", "doctor calls it"),
    Doubt("elite ratios give at least the latest two hours", "rows outside of the stretch asked for are left out"),
)


class _Talk(Session):
    """Unpacks, answers the server's pings in kind, and subscribes to all contracts at once."""

    def __init__(self, specs: Specs) -> None:
        self.specs = specs

    def opening(self) -> list[str]:
        topics = ("public.*.liquidation_orders", "public.*.funding_rate")
        return [f'{{"op":"sub","cid":"{i}","topic":"{topic}"}}' for i, topic in enumerate(topics)]

    def receive(self, frame: str | bytes, recv_ns: int) -> Received:
        text = parse.unpack(frame)
        # Frames begin with op and topic, or with a channel: the busy ones are told without decoding twice.
        if isinstance(text, bytes):
            if text.startswith(_PRINTS):
                return Received(parse.liquidations(text, self.specs, recv_ns), data=True)
            if text.startswith(b'{"ch":"market.') and text.find(b'.trade.detail"', 14, 60) > 0:
                return Received(parse.trades(text, self.specs, recv_ns), data=True)
        head = wire.decode(_HEAD, text, parse.VENUE, "frame")
        if isinstance(head.ping, payloads.Raw):
            return Received([], reply=f'{{"pong":{bytes(head.ping).decode()}}}')
        if head.op == "ping":
            stamp = bytes(head.ts).decode() if isinstance(head.ts, payloads.Raw) else "null"
            return Received([], reply=f'{{"op":"pong","ts":{stamp}}}')
        if head.op == "notify":
            if head.topic.endswith(".liquidation_orders"):
                return Received(parse.liquidations(text, self.specs, recv_ns), data=True)
            if head.topic.endswith(".funding_rate"):
                return Received(parse.funding_now(text, self.specs, recv_ns), data=True)
            return NOTHING
        if head.ch.endswith(".trade.detail"):
            return Received(parse.trades(text, self.specs, recv_ns), data=True)
        failed = head.code is not None and str(head.code) != "0"
        if head.op in ("error", "close") or head.status == "error" or failed:
            # Funding costs only itself; without liquidations the line is of no use.
            words = f"{head.op} {head.code} {head.words}"
            return NOTHING if head.topic.endswith(".funding_rate") else Received([], refused=words)
        return NOTHING


class Htx(Venue):
    """HTX's USDT perpetuals.

    Parameters
    ----------
    now_ns
        Tells how many mark klines back a stretch begins: that endpoint only counts from now.
    """

    def __init__(self, now_ns: Callable[[], int] = clock.now_ns) -> None:
        self._now_ns = now_ns
        self.facts = Facts(
            key="htx",
            venue=parse.VENUE,
            title="HTX USDT perpetuals",
            completeness=Completeness.UNKNOWN,
            completeness_note="HTX does not say whether every liquidation is published",
            streams=frozenset({Kind.LIQUIDATIONS, Kind.TICKERS}),
            asks=frozenset(
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
                    Kind.LIQUIDATIONS,
                }
            ),
            hosts={"rest": "https://api.hbdm.com", "ws": "wss://api.hbdm.com"},
            # 240 in 3 s for what is no market data, 800 a second for what is; by address.
            buckets={"public": Bucket(240, 3), "market": Bucket(800, 1)},
            history_ns={
                # "The klines of the last two years"; the mark price's only by count.
                Kind.BARS: 720 * NS_PER_DAY,
                Kind.MARK_BARS: (_CANDLES - _SPARE) * NS_PER_MINUTE,
                Kind.OPEN_INTEREST: _PAST_OPEN_INTEREST * NS_PER_HOUR,
                Kind.RATIOS: 2 * NS_PER_HOUR,
                Kind.LIQUIDATIONS: 90 * NS_PER_DAY,
            },
            page={Kind.BARS: _CANDLES - 1, Kind.MARK_BARS: _CANDLES - _SPARE, Kind.OPEN_INTEREST: _PAST_OPEN_INTEREST},
            open_interest_interval_ns=NS_PER_HOUR,
            doubts=_DOUBTS,
        )

    def _ask(
        self,
        name: str,
        kind: Kind,
        path: str,
        params: Mapping[str, object],
        parser: wire.Parser,
        more: Callable[[bytes], Ask | None] | None = None,
    ) -> Ask:
        query = {key: str(value) for key, value in params.items()}
        bucket = "market" if "/market/" in path else "public"
        return Ask(name, kind, Request("rest", path, query, costs=((bucket, 1),)), parser, more)

    def ask_instruments(self) -> list[Ask]:
        query = {"business_type": "swap"}
        return [self._ask("swap_contract_info", Kind.INSTRUMENTS, f"{_API}swap_contract_info", query, parse.instruments)]

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask:
        params: dict[str, object] = {"contract_code": spec.id.symbol, "period": "1min"}
        if price_kind is PriceKind.LAST:
            kind, path = Kind.BARS, f"{_EX}history/kline"
            params |= {"from": start_ns // NS_PER_S, "to": (end_ns - 1) // NS_PER_S}
        else:
            kind, path = Kind.MARK_BARS, "/index/market/history/linear_swap_mark_price_kline"
            # Some more, for the bar that is open and for a clock that is behind; all of them if it is far behind.
            count = (self._now_ns() - start_ns) // NS_PER_MINUTE + _SPARE
            params["size"] = count if _SPARE <= count <= _CANDLES else _CANDLES
        return self._ask(
            f"{price_kind.value} kline {spec.id.symbol}",
            kind,
            path,
            params,
            lambda b, t: wire.between(parse.bars(b, spec, price_kind, t), start_ns, end_ns),
        )

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        def ask(path: str, reader: Callable[[bytes, Specs, int], wire.Parsed]) -> Ask:
            return self._ask(path, Kind.TICKERS, _API + path, {}, lambda b, t: reader(b, specs, t))

        return [
            ask("swap_open_interest", parse.open_interest_now),
            ask("swap_batch_funding_rate", parse.funding_rates),
            ask("swap_index", parse.index_now),
        ]

    def ask_open_interest(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        params = {
            "contract_code": spec.id.symbol,
            "contract_type": "swap",
            "period": "60min",
            "size": _PAST_OPEN_INTEREST,
            "amount_type": 2,
        }
        return self._ask(
            f"swap_his_open_interest {spec.id.symbol}",
            Kind.OPEN_INTEREST,
            f"{_API}swap_his_open_interest",
            params,
            lambda b, t: wire.between(parse.open_interest(b, spec, t), start_ns, end_ns),
        )

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        """Ask newest first, page by page until a stamp is older than `start_ns`: the endpoint knows pages, not times."""
        return self._funding(spec, start_ns, end_ns, 1)

    def _funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int, page: int) -> Ask:
        def more(body: bytes) -> Ask | None:
            stamps = [r.ts_venue for r in parse.funding(body, spec, end_ns) if isinstance(r, FundingRate)]
            current, pages = parse.funding_page(body)
            done = not stamps or min(stamps) <= start_ns or max(current, page) >= pages
            return None if done else self._funding(spec, start_ns, end_ns, page + 1)

        params = {"contract_code": spec.id.symbol, "page_index": page, "page_size": _FUNDING_PAGE}
        return self._ask(
            f"swap_historical_funding_rate {spec.id.symbol}",
            Kind.FUNDING,
            f"{_API}swap_historical_funding_rate",
            params,
            lambda b, t: wire.between(parse.funding(b, spec, t), start_ns, end_ns),
            more,
        )

    def ask_ratios(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> list[Ask]:
        def ask(population: Population, path: str) -> Ask:
            return self._ask(
                f"{path} {spec.id.symbol}",
                Kind.RATIOS,
                _API + path,
                {"contract_code": spec.id.symbol, "period": "5min"},
                lambda b, t: wire.between(parse.ratios(b, spec, population, t), start_ns, end_ns),
            )

        return [ask(population, path) for population, path in _RATIOS.items()]

    def ask_book(self, spec: InstrumentSpec) -> Ask:
        params = {"contract_code": spec.id.symbol, "type": "step0"}
        return self._ask(f"depth {spec.id.symbol}", Kind.DEPTH, f"{_EX}depth", params, lambda b, t: parse.book(b, spec, t))

    def ask_tiers(self, specs: Specs) -> list[Ask]:
        path = "swap_cross_adjustfactor"
        return [self._ask(path, Kind.TIERS, _API + path, {"business_type": "swap"}, lambda b, t: parse.tiers(b, specs, t))]

    def ask_liquidations(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        """Ask for prints, two hours at a time, each stretch page by page until a page is empty; rows equal the stream's."""
        return self._liquidations(spec, start_ns, end_ns, None)

    def _liquidations(self, spec: InstrumentSpec, start_ns: int, end_ns: int, from_id: int | None) -> Ask:
        specs, window_ns = {spec.id.symbol: spec}, min(end_ns, start_ns + _WINDOW_NS)
        known = -1 if from_id is None else from_id

        def more(body: bytes) -> Ask | None:
            newest = parse.last_id(body)
            if newest is not None and newest > known:
                return self._liquidations(spec, start_ns, end_ns, newest)
            return self._liquidations(spec, window_ns, end_ns, None) if window_ns < end_ns else None

        params: dict[str, object] = {
            "contract": spec.id.symbol,
            "trade_type": 0,
            "start_time": start_ns // MS,
            "end_time": (window_ns - 1) // MS,
            "direct": "next",
        }
        if from_id is not None:
            params["from_id"] = from_id
        return self._ask(
            f"swap_liquidation_orders {spec.id.symbol}",
            Kind.LIQUIDATIONS,
            "/linear-swap-api/v3/swap_liquidation_orders",
            params,
            lambda b, t: wire.between(parse.liquidations(b, specs, t, known), start_ns, window_ns),
            more,
        )

    def streams(self, specs: Specs) -> list[Stream]:
        # The server pings every five seconds: a line that brings no frame for long is dead, quiet liquidations are not. A pong
        # of the socket's own would show less: that it lives, not that it speaks to us.
        return [
            Stream(
                name="notifications",
                host="ws",
                path="/linear-swap-notification",
                session=lambda: _Talk(specs),
                kinds=(Kind.LIQUIDATIONS, Kind.TICKERS),
                instruments=tuple(spec.id for spec in specs.values()),
                heartbeat_s=None,
                silence_s=20.0,
            )
        ]

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> Judgement:
        """Refusals hide in `status` or `code` of a 200; during maintenance every answer says so."""
        judged = judge_status(status, headers, body)
        found = envelope(judged, _STATUS, body, parse.VENUE)
        if found is None:
            return judged
        code = str(found.code if found.err_code is None else found.err_code)
        words = f"{found.status} {code} {found.err_msg or found.msg or found.message or ''}".strip()
        if code in _LIMITED:
            return Judgement(Answer.LIMITED, 3.0, words)
        if found.status == "maintain" or code in _BUSY:
            return Judgement(Answer.BUSY, None, words)
        return judged if found.status == "ok" and code == "200" else Judgement(Answer.REFUSED, None, words)
