"""OKX v5 swaps, as its documentation says.

Habits: everything is text; quantities are contracts of `ctVal`; a liquidation message holds several contracts and each several
`details`, of each second the largest of either side; the first message after subscribing repeats older ones; candles come newest
first with a `confirm` flag; the socket's ping is the bare word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from liqscape.testing.exchange.dialect import Asked, Conversation, Frame, Topics, beats, dumps
from liqscape.testing.exchange.dialects.okx_rest import OkxRest, ms
from liqscape.testing.exchange.listing import Listing
from liqscape.units import NS_PER_MINUTE, NS_PER_S

_IDLE_NS = 30 * NS_PER_S
_REPLAY_NS = 90 * NS_PER_S


class Okx(OkxRest):
    """www.okx.com and ws.okx.com; USDT and coin margined perpetual swaps."""

    key = "okx"
    hosts = ("www.okx.com", "openapi.okx.com", "ws.okx.com")

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open /ws/v5/public (or /business, where candles live)."""
        if asked.path not in ("/ws/v5/public", "/ws/v5/business"):
            return None
        return _Conversation(self, now_ns)


class _Conversation(Topics):
    """Channels by argument; a topic's name here is the argument in JSON."""

    def __init__(self, dialect: Okx, now_ns: int) -> None:
        super().__init__()
        self._dialect = dialect
        self._world = dialect.world
        self._active_ns = now_ns

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        self._active_ns = now_ns
        if message in ("ping", b"ping"):
            return ["pong"]
        try:
            heard: dict[str, Any] = msgspec.json.decode(message)
            operation, arguments = heard["op"], heard["args"]
        except (msgspec.DecodeError, KeyError, TypeError):
            words = "Invalid request"
            return [dumps({"event": "error", "code": "60012", "msg": words, "connId": "a4d3ae55"})]
        replies: list[Frame] = []
        for argument in arguments:
            replies += self._subscription(str(operation), argument, now_ns)
        return replies

    def _subscription(self, operation: str, argument: dict[str, str], now_ns: int) -> list[Frame]:
        channel, topic = argument.get("channel", ""), dumps(argument)
        if operation == "unsubscribe":
            self.unsubscribe(topic)
            return [dumps({"event": operation, "arg": argument, "connId": "a4d3ae55"})]
        known = channel == "liquidation-orders" or self._contract(argument) is not None
        if operation != "subscribe" or not known:
            words = f"Wrong URL or channel:{channel},instId:{argument.get('instId', '')} doesn't exist."
            return [dumps({"event": "error", "code": "60018", "msg": words, "connId": "a4d3ae55"})]
        self.subscribe(topic, now_ns)
        replies: list[Frame] = [dumps({"event": operation, "arg": argument, "connId": "a4d3ae55"})]
        if channel == "liquidation-orders":
            second = now_ns // NS_PER_S
            replies += self._replay(argument, second - _REPLAY_NS // NS_PER_S, second)
        contract = self._contract(argument)
        if channel == "books" and contract is not None:
            replies.append(dumps({"arg": argument, "action": "snapshot", "data": self._rows(channel, contract, now_ns)}))
        return replies

    def _contract(self, argument: dict[str, str]) -> Listing | None:
        name = argument.get("instId", "")
        return self._dialect.contracts.get(name if argument.get("channel") != "index-tickers" else f"{name}-SWAP")

    def _replay(self, argument: dict[str, str], first: int, last: int) -> list[Frame]:
        rows: list[dict[str, Any]] = []
        for contract in self._of_type(argument):
            details = [d for told in self._dialect.shown(contract, first, last).values() for d in told]
            if details:
                rows.append(self._dialect.liquidation_row(contract, details))
        return [dumps({"arg": argument, "data": rows})] if rows else []

    def _of_type(self, argument: dict[str, str]) -> list[Listing]:
        return list(self._dialect.contracts.values()) if argument.get("instType") == "SWAP" else []

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        argument: dict[str, str] = msgspec.json.decode(topic)
        if argument["channel"] == "liquidation-orders":
            yield from self._liquidations(argument, from_ns, to_ns)
            return
        contract = self._contract(argument)
        if contract is None:
            return
        every = NS_PER_MINUTE if argument["channel"].startswith("books") else self._world.beat_ns
        for at in beats(from_ns, to_ns, every):
            rows = self._rows(argument["channel"], contract, at)
            if rows:
                action = {"action": "snapshot"} if argument["channel"] == "books" else {}
                yield at, dumps({"arg": argument, **action, "data": rows})

    def _rows(self, channel: str, contract: Listing, at_ns: int) -> list[Any]:
        dialect = self._dialect
        if channel == "trades":
            prints = self._world.trades(contract, at_ns - self._world.beat_ns, at_ns)
            return [{**dialect.trade(contract, p), "count": "1", "seqId": p.number} for p in prints]
        if channel == "candle1m":
            ended = at_ns % NS_PER_MINUTE == 0
            candle = self._world.minute(contract, at_ns - 1 if ended else at_ns, at_ns)
            return [dialect.candle_row(contract, candle, volume=True, ended=ended)]
        if channel.startswith("books"):
            book = self._world.book(contract, at_ns, 5 if channel == "books5" else 400)
            sides = [[[contract.price(p), contract.quantity(q), "0", "2"] for p, q in rows] for rows in (book.asks, book.bids)]
            stamps = {"ts": ms(at_ns), "checksum": 0, "prevSeqId": -1, "seqId": at_ns // NS_PER_S}
            return [{"asks": sides[0], "bids": sides[1], **stamps}]
        tellers = {
            "mark-price": dialect.mark,
            "index-tickers": dialect.index,
            "open-interest": dialect.interest,
            "funding-rate": dialect.funding,
            "tickers": dialect.day,
        }
        teller = tellers.get(channel)
        return [] if teller is None else [teller(contract, at_ns)]

    def _liquidations(self, argument: dict[str, str], from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        first, last = -(-from_ns // NS_PER_S), -(-to_ns // NS_PER_S)
        rows: dict[int, list[dict[str, Any]]] = {}
        for contract in self._of_type(argument):
            for second, details in self._dialect.shown(contract, first - 1, last - 1).items():
                rows.setdefault(second + 1, []).append(self._dialect.liquidation_row(contract, details))
        for second, told in sorted(rows.items()):
            yield second * NS_PER_S, dumps({"arg": argument, "data": told})

    def frames(self, from_ns: int, to_ns: int) -> list[tuple[int, Frame]]:
        found = super().frames(from_ns, to_ns)
        if found:
            self._active_ns = max(self._active_ns, found[-1][0])
        self.hung_up = to_ns - self._active_ns > _IDLE_NS
        return found
