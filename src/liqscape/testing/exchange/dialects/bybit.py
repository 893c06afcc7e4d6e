"""Bybit v5, linear and inverse, as its documentation says (https://bybit-exchange.github.io/docs/v5/).

Where its habits differ from others': open interest is the sum of both sides, with one side in `singleOpenInterest`; a print's
`S` is the side of the POSITION; klines come newest first; errors hide in a 200 with a `retCode`; subscriptions have no wildcard.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from liqscape.model import PositionSide
from liqscape.testing.exchange.dialect import Asked, Conversation, Frame, Topics, beats, dumps
from liqscape.testing.exchange.dialects.bybit_rest import BybitRest, ms, taker, ticker_fields
from liqscape.testing.exchange.listing import NS_PER_MS, Listing
from liqscape.testing.exchange.world import Print
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

_BATCH_NS = 500 * NS_PER_MS  # liquidations are pushed twice a second
_SNAPSHOT_EVERY = 60  # of so many ticker frames one tells everything


class Bybit(BybitRest):
    """api.bybit.com and stream.bybit.com; category `linear` (USDT) and `inverse`."""

    key = "bybit"
    hosts = ("api.bybit.com", "stream.bybit.com")

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open /v5/public/linear or /v5/public/inverse."""
        market = asked.path.rpartition("/")[2]
        if asked.path not in ("/v5/public/linear", "/v5/public/inverse"):
            return None
        return _Conversation(self, market)


class _Conversation(Topics):
    """Topics allLiquidation, tickers, publicTrade, kline and orderbook of one category."""

    def __init__(self, dialect: Bybit, market: str) -> None:
        super().__init__()
        self._dialect = dialect
        self._world = dialect.world
        self._market = market

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        try:
            heard: dict[str, Any] = msgspec.json.decode(message)
        except msgspec.DecodeError:
            return [self._reply(False, "", "", "invalid json")]
        operation, request = str(heard.get("op", "")), str(heard.get("req_id", ""))
        if operation == "ping":
            return [self._reply(True, request, "ping", "pong")]
        if operation == "unsubscribe":
            for topic in heard.get("args", []):
                self.unsubscribe(topic)
            return [self._reply(True, request, operation)]
        if operation != "subscribe":
            return [self._reply(False, request, operation, "unknown op")]
        topics: list[str] = heard.get("args", [])
        unknown = [topic for topic in topics if not self._known(topic)]
        if unknown:
            return [self._reply(False, request, operation, f"error:handler not found,topic:{unknown[0]}")]
        replies: list[Frame] = [self._reply(True, request, operation)]
        for topic in topics:
            self.subscribe(topic, now_ns)
            replies += self._snapshot(topic, now_ns)
        return replies

    def _known(self, topic: str) -> bool:
        kind, _, symbol = topic.partition(".")
        contract = self._dialect.contracts.get(symbol.rpartition(".")[2])
        known = kind in ("allLiquidation", "tickers", "publicTrade", "kline", "orderbook")
        return known and contract is not None and contract.market == self._market

    def _reply(self, success: bool, request: str, operation: str, words: str = "") -> str:
        return dumps(
            {"success": success, "ret_msg": words, "conn_id": "d30fdpbboasp1pjbe7r0", "req_id": request, "op": operation}
        )

    def _contract(self, topic: str) -> Listing:
        return self._dialect.contracts[topic.rpartition(".")[2]]

    def _snapshot(self, topic: str, now_ns: int) -> list[Frame]:
        if topic.startswith("tickers."):
            return [self._ticker(topic, now_ns, whole=True)]
        if topic.startswith("orderbook."):
            return [self._orderbook(topic, now_ns)]
        return []

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        beat_ns = self._world.beat_ns
        if topic.startswith("allLiquidation."):
            yield from self._liquidations(topic, from_ns, to_ns)
        elif topic.startswith("tickers."):
            for at in beats(from_ns, to_ns, beat_ns):
                yield at, self._ticker(topic, at, whole=at // beat_ns % _SNAPSHOT_EVERY == 0)
        elif topic.startswith("publicTrade."):
            for at in beats(from_ns, to_ns, beat_ns):
                rows = [self._trade(topic, p) for p in self._world.trades(self._contract(topic), at - beat_ns, at)]
                if rows:
                    yield at, dumps({"topic": topic, "type": "snapshot", "ts": ms(at), "data": rows})
        elif topic.startswith("kline."):
            for at in beats(from_ns, to_ns, beat_ns):
                yield at, self._kline(topic, at)
        else:
            for at in beats(from_ns, to_ns, NS_PER_MINUTE):
                yield at, self._orderbook(topic, at)

    def _liquidations(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        contract = self._contract(topic)
        slots: dict[int, list[dict[str, Any]]] = {}
        first, last = -(-from_ns // _BATCH_NS) * _BATCH_NS, -(-to_ns // _BATCH_NS) * _BATCH_NS
        for p in self._world.liquidations(contract, first - _BATCH_NS, last - _BATCH_NS):
            row = {
                "T": ms(p.ts_ns),
                "s": contract.symbol,
                "S": "Buy" if p.position_side is PositionSide.LONG else "Sell",
                "v": contract.quantity(p.quantity),
                "p": contract.price(p.bankruptcy or p.price),
            }
            slots.setdefault(p.ts_ns // _BATCH_NS * _BATCH_NS + _BATCH_NS, []).append(row)
        for at, rows in slots.items():
            yield at, dumps({"topic": topic, "type": "snapshot", "ts": ms(at), "data": rows})

    def _ticker(self, topic: str, at_ns: int, *, whole: bool) -> str:
        contract = self._contract(topic)
        fields = ticker_fields(self._world, contract, at_ns)
        if not whole:
            before = ticker_fields(self._world, contract, at_ns - self._world.beat_ns)
            fields = {name: value for name, value in fields.items() if name == "symbol" or before[name] != value}
        kind = "snapshot" if whole else "delta"
        return dumps({"topic": topic, "type": kind, "data": fields, "cs": at_ns // self._world.beat_ns, "ts": ms(at_ns)})

    def _trade(self, topic: str, p: Print) -> dict[str, Any]:
        contract = self._contract(topic)
        return {
            "T": ms(p.ts_ns),
            "s": contract.symbol,
            "S": taker(p),
            "v": contract.quantity(p.quantity),
            "p": contract.price(p.price),
            "L": "PlusTick",
            "i": f"{p.number:032x}",
            "BT": False,
            "RPI": False,
            "seq": p.number,
        }

    def _kline(self, topic: str, at_ns: int) -> str:
        """Write the minute that ended at a whole minute as confirmed, else the one that runs."""
        contract, ended = self._contract(topic), at_ns % NS_PER_MINUTE == 0
        candle = self._world.minute(contract, at_ns - 1 if ended else at_ns, at_ns)
        row = {
            "start": ms(candle.start_ns),
            "end": ms(candle.start_ns + NS_PER_MINUTE) - 1,
            "interval": topic.split(".")[1],
            "open": contract.price(candle.open),
            "close": contract.price(candle.close),
            "high": contract.price(candle.high),
            "low": contract.price(candle.low),
            "volume": contract.quantity(candle.quantity),
            "turnover": f"{candle.turnover:.4f}",
            "confirm": ended,
            "timestamp": ms(at_ns),
        }
        return dumps({"type": "snapshot", "topic": topic, "data": [row], "ts": ms(at_ns)})

    def _orderbook(self, topic: str, at_ns: int) -> str:
        contract, levels = self._contract(topic), int(topic.split(".")[1])
        book = self._world.book(contract, at_ns, levels)
        sides = [[[contract.price(p), contract.quantity(q)] for p, q in rows] for rows in (book.bids, book.asks)]
        number = at_ns // NS_PER_HOUR
        data = {"s": contract.symbol, "b": sides[0], "a": sides[1], "u": number, "seq": ms(book.ts_ns)}
        return dumps({"topic": topic, "type": "snapshot", "ts": ms(at_ns), "data": data, "cts": ms(book.ts_ns)})
