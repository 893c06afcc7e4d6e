"""Deribit: its addresses, limits, requests and streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from liqscape.model import Completeness, ContractKind, InstrumentSpec, Kind, PriceKind
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
    parts,
    sockets,
)
from liqscape.venues.deribit import parse, payloads

_MS = 1_000_000
_HEAD = wire.decoder(payloads.Head)
_SUBSCRIBED = wire.decoder(payloads.Subscribed)
_SYMBOLS_PER_STREAM = 100
# Subscribing is dear at Deribit (third parties: ten in a burst, then 3 a second): long lists, few messages, a pause between.
_CHANNELS_PER_MESSAGE = 50
_SUBSCRIBE_PAUSE_S = 0.35
_TRADES_PER_PAGE = 1000
_BARS_PER_PAGE = 1000
_HOURS_PER_PAGE = 700  # a third party saw at most 744 rows of funding in an answer
# 10028 too_many_requests; settlement, full queues, maintenance and temporary trouble are worth another try.
_LIMITED, _BUSY = 10028, (10040, 10041, 10047, 11051, 13028)
_TEST = '{"jsonrpc":"2.0","id":9,"method":"public/test","params":{}}'


class _Talk(Session):
    """Asks for heartbeats, subscribes in parts and answers test requests."""

    def __init__(self, specs: Specs, channels: Sequence[str]) -> None:
        self.specs, self.channels = specs, channels

    def opening(self) -> list[str]:
        calls = [
            ("public/set_heartbeat", {"interval": 30}),
            *(("public/subscribe", {"channels": part}) for part in parts(self.channels, _CHANNELS_PER_MESSAGE)),
        ]
        return [
            msgspec.json.encode({"jsonrpc": "2.0", "id": 100 + number, "method": method, "params": params}).decode()
            for number, (method, params) in enumerate(calls)
        ]

    def heartbeat(self) -> str:
        return _TEST

    def receive(self, frame: str | bytes, recv_ns: int) -> Received:
        head = wire.decode(_HEAD, frame, parse.VENUE, "frame")
        if head.method == "subscription" and head.params is not None:
            channel = head.params.channel or ""
            if channel.startswith("trades."):
                return Received(parse.trades(frame, self.specs, recv_ns), data=True)
            if channel.startswith("ticker."):
                return Received(parse.ticker(frame, self.specs, recv_ns), data=True)
            return NOTHING
        if head.method == "heartbeat" and head.params is not None:
            # Without an answer to a test request Deribit closes the connection.
            return Received([], reply=_TEST if head.params.type == "test_request" else None)
        if head.error is not None:
            return Received([], refused=f"{head.error.code} {head.error.message}")
        if head.id is not None and head.id > 100 and not wire.decode(_SUBSCRIBED, frame, parse.VENUE, "subscribed").result:
            return Received([], refused="none of the channels exists")
        return NOTHING


class Deribit(Venue):
    """Perpetuals of Deribit: inverse in BTC and ETH, linear in USDC and USDT."""

    def __init__(self) -> None:
        self.facts = Facts(
            key="deribit",
            venue="deribit",
            title="Deribit",
            completeness=Completeness.ALL,
            completeness_note="liquidations are marked trades; live and the whole history",
            streams=frozenset({Kind.LIQUIDATIONS, Kind.TICKERS, Kind.TRADES}),
            asks=frozenset({Kind.INSTRUMENTS, Kind.BARS, Kind.TICKERS, Kind.FUNDING, Kind.DEPTH, Kind.LIQUIDATIONS}),
            hosts={"rest": "https://www.deribit.com", "ws": "wss://www.deribit.com"},
            buckets={"requests": Bucket(20, 1)},
            page={Kind.BARS: _BARS_PER_PAGE, Kind.FUNDING: _HOURS_PER_PAGE, Kind.LIQUIDATIONS: _TRADES_PER_PAGE},
            doubts=(
                Doubt(
                    "20 requests a second without a key (third-party: 500 credits each, 10,000 refilled a second)",
                    "answers 10028 or 429 are counted and waited for",
                ),
                Doubt("open interest counts one side", "cannot be seen from outside: the documentation is silent"),
                Doubt("current_funding has no documented period", "it is not read: funding comes from the hourly history"),
                Doubt("the longest page of funding is 744 rows", "asked in pages of 700; a gap would show in the stored hours"),
            ),
        )

    def _ask(self, name: str, kind: Kind, method: str, params: Mapping[str, object], parser: wire.Parser) -> Ask:
        query = {key: str(value) for key, value in params.items()}
        return Ask(name, kind, Request("rest", f"/api/v2/public/{method}", query, costs=(("requests", 1),)), parser)

    def ask_instruments(self) -> list[Ask]:
        params = {"currency": "any", "kind": "future", "expired": "false"}
        return [self._ask("instruments", Kind.INSTRUMENTS, "get_instruments", params, parse.instruments)]

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask | None:
        if price_kind is PriceKind.MARK:
            return None
        params = {
            "instrument_name": spec.id.symbol,
            "resolution": 1,
            "start_timestamp": start_ns // _MS,
            "end_timestamp": end_ns // _MS - 1,
        }
        return self._ask(
            f"chart {spec.id.symbol}",
            Kind.BARS,
            "get_tradingview_chart_data",
            params,
            lambda b, t: parse.bars(b, spec, t),
        )

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        # Inverse contracts are listed under their coin, linear ones under the currency they settle in.
        currencies = {spec.base if spec.kind is ContractKind.INVERSE else spec.quote for spec in specs.values()}
        return [
            self._ask(
                f"book summary {currency}",
                Kind.TICKERS,
                "get_book_summary_by_currency",
                {"currency": currency, "kind": "future"},
                lambda b, t: parse.summaries(b, specs, t),
            )
            for currency in sorted(currencies)
        ]

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        params = {
            "instrument_name": spec.id.symbol,
            "start_timestamp": start_ns // _MS,
            "end_timestamp": end_ns // _MS - 1,
        }
        return self._ask(
            f"funding {spec.id.symbol}", Kind.FUNDING, "get_funding_rate_history", params, lambda b, t: parse.funding(b, spec, t)
        )

    def ask_book(self, spec: InstrumentSpec) -> Ask:
        params = {"instrument_name": spec.id.symbol, "depth": 1000}
        return self._ask(
            f"order book {spec.id.symbol}", Kind.DEPTH, "get_order_book", params, lambda b, t: parse.book(b, spec, t)
        )

    def ask_liquidations(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask:
        return self._trades(spec, start_ns, start_ns, end_ns, frozenset())

    def _trades(self, spec: InstrumentSpec, from_ns: int, start_ns: int, end_ns: int, known: frozenset[str]) -> Ask:
        """Ask for trades from `from_ns`; the page behind begins at the last instant of this one, without what this one had."""
        params = {
            "instrument_name": spec.id.symbol,
            "start_timestamp": from_ns // _MS,
            "end_timestamp": end_ns // _MS - 1,
            "count": _TRADES_PER_PAGE,
            "sorting": "asc",
        }

        def more(body: bytes) -> Ask | None:
            page = parse.page(body)
            if not page.has_more or not page.trades:
                return None
            last = max(trade.timestamp for trade in page.trades)
            last_ns = wire.instant(last, _MS, parse.VENUE, f"{spec.id.symbol} trade", "timestamp")
            if last_ns <= from_ns:  # a whole page of one instant: nothing but the next instant is left to ask for
                return self._trades(spec, from_ns + _MS, start_ns, end_ns, frozenset())
            held = frozenset(trade.trade_id for trade in page.trades if trade.timestamp == last)
            return self._trades(spec, last_ns, start_ns, end_ns, held)

        ask = self._ask(
            f"trades {spec.id.symbol}",
            Kind.LIQUIDATIONS,
            "get_last_trades_by_instrument_and_time",
            params,
            lambda b, t: parse.liquidations(b, spec, start_ns, end_ns, known, t),
        )
        return Ask(ask.name, ask.kind, ask.request, ask.parse, more)

    def streams(self, specs: Specs) -> list[Stream]:
        def stream(number: int, held: Specs) -> Stream:
            channels = [f"{channel}.{symbol}.100ms" for symbol in held for channel in ("ticker", "trades")]
            return Stream(
                name=f"public-{number}",
                host="ws",
                path="/ws/api/v2",
                session=lambda: _Talk(held, channels),
                kinds=(Kind.LIQUIDATIONS, Kind.TICKERS, Kind.TRADES),
                instruments=tuple(spec.id for spec in held.values()),
                heartbeat_s=15.0,
                silence_s=40.0,
                # Tickers ride on the same socket and are never quiet for so long.
                data_silence_s=30.0,
                pause_s=_SUBSCRIBE_PAUSE_S,
            )

        return sockets(specs, _SYMBOLS_PER_STREAM, stream)

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> Judgement:
        """Deribit names the trouble in `error.code`, whatever the status."""
        judged = judge_status(status, headers, body)
        if judged.answer is Answer.FINE:
            error = wire.decode(_HEAD, body, parse.VENUE, "answer").error
        else:
            try:
                error = wire.decode(_HEAD, body, parse.VENUE, "answer").error
            except wire.CorruptRecord:
                error = None
        if error is None:
            return judged
        words = f"{error.code} {error.message}"
        if error.code == _LIMITED:
            return Judgement(Answer.LIMITED, judged.wait_s or 5.0, words)
        if error.code in _BUSY:
            return Judgement(Answer.BUSY, judged.wait_s, words)
        return Judgement(Answer.REFUSED if judged.answer is Answer.FINE else judged.answer, judged.wait_s, words)
