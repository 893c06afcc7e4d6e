"""BitMEX perpetuals, as its documentation says (https://www.bitmex.com/app/wsAPI, https://www.bitmex.com/api/explorer/).

Where its habits differ from others': liquidations are orders that stand in the book, inserted, updated and deleted, without a
time; tables begin with a `partial` and go on with what changed; quantities are contracts whose size differs by instrument; bins
are stamped with their end and open at the close before; 30 requests a minute without a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from liqscape.testing.exchange.dialect import Asked, Conversation, Frame, Topics, beats, dumps
from liqscape.testing.exchange.dialects.bitmex_rest import BitmexRest, life
from liqscape.testing.exchange.dialects.common import batched, heard, iso, recent, words
from liqscape.testing.exchange.listing import Listing
from liqscape.units import NS_PER_MINUTE, NS_PER_S

_LOOK_BACK_NS = 6 * NS_PER_S  # no liquidation order stands longer
_TABLES = {
    "liquidation": {"orderID": "guid", "symbol": "symbol", "side": "symbol", "price": "float", "leavesQty": "long"},
    "instrument": {"symbol": "symbol", "markPrice": "float", "openInterest": "long", "timestamp": "timestamp"},
    "trade": {"timestamp": "timestamp", "symbol": "symbol", "side": "symbol", "size": "long", "price": "float"},
}
_KEYS = {"liquidation": ["orderID"], "instrument": ["symbol"], "trade": []}


class Bitmex(BitmexRest):
    """www.bitmex.com and ws.bitmex.com."""

    key = "bitmex"
    hosts = ("www.bitmex.com", "ws.bitmex.com")

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open /realtime; topics may stand in its query."""
        return _Conversation(self, asked.query.get("subscribe", "")) if asked.path == "/realtime" else None


class _Conversation(Topics):
    """Tables liquidation, instrument and trade, whole or of one symbol."""

    def __init__(self, dialect: Bitmex, first: str) -> None:
        super().__init__()
        self._dialect = dialect
        self._world = dialect.world
        self._first = [topic for topic in first.split(",") if topic]

    def opening(self, now_ns: int) -> list[Frame]:
        """Welcome, then subscribe what the address asked for."""
        hello = {"info": "Welcome to the BitMEX Realtime API.", "version": "2.0.0", "timestamp": iso(now_ns)}
        more = {"docs": "https://www.bitmex.com/app/wsAPI", "limit": {"remaining": 719}, "appName": "ws-8b5f6d7c9-x2x7k"}
        return [dumps(hello | more), *self._subscribe(self._first, now_ns)]

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        """Answer the plain ping, subscribe and unsubscribe."""
        if message in ("ping", b"ping"):
            return ["pong"]
        asked = heard(message)
        topics = words(asked.get("args"))
        if asked.get("op") == "subscribe":
            return self._subscribe(topics, now_ns)
        if asked.get("op") != "unsubscribe":
            return [dumps({"status": 400, "error": "Unrecognized request.", "meta": {}, "request": asked})]
        for topic in topics:
            self.unsubscribe(topic)
        return [dumps({"success": True, "unsubscribe": topic, "request": asked}) for topic in topics]

    def _subscribe(self, topics: list[str], now_ns: int) -> list[Frame]:
        replies: list[Frame] = []
        for topic in topics:
            table, _, symbol = topic.partition(":")
            request = {"op": "subscribe", "args": [topic]}
            if table not in _TABLES or (symbol and symbol not in self._dialect.contracts):
                why = "Unknown table" if table not in _TABLES else "Unknown or expired symbol"
                replies.append(dumps({"status": 400, "error": f"{why}: {topic}", "meta": {}, "request": request}))
                continue
            if topic in self.since_ns:
                error = f"You are already subscribed to this topic: {topic}"
                replies.append(dumps({"status": 400, "error": error, "meta": {}, "request": request}))
                continue
            self.subscribe(topic, now_ns)
            replies.append(dumps({"success": True, "subscribe": topic, "request": request}))
            replies.append(self._partial(table, symbol, now_ns))
        return replies

    def _of(self, symbol: str) -> list[Listing]:
        return [self._dialect.contracts[symbol]] if symbol else list(self._dialect.contracts.values())

    def _partial(self, table: str, symbol: str, now_ns: int) -> str:
        rows: list[dict[str, Any]] = []
        for contract in self._of(symbol):
            if table == "instrument":
                rows.append(self._dialect.instrument(contract, now_ns))
            elif table == "liquidation":
                rows += self._dialect.standing(contract, now_ns)
            else:
                rows += [self._dialect.trade(contract, p) for p in recent(self._world, contract, now_ns, 1)]
        shape = {"keys": _KEYS[table], "types": _TABLES[table], "foreignKeys": {"symbol": "instrument"}, "attributes": {}}
        filtered = {"filter": {"symbol": symbol} if symbol else {}}
        return dumps({"table": table, "action": "partial"} | shape | filtered | {"data": rows})

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield what changed in one table."""
        table, _, symbol = topic.partition(":")
        if table == "liquidation":
            yield from self._liquidations(symbol, from_ns, to_ns)
        elif table == "trade":
            for at, found in batched(self._world, self._of(symbol), from_ns, to_ns, self._world.beat_ns, forced=False):
                rows = [self._dialect.trade(c, p) for c, p in found]
                yield at, dumps({"table": table, "action": "insert", "data": rows})
        else:
            for at in beats(from_ns, to_ns, self._world.beat_ns):
                for contract in self._of(symbol):
                    yield at, dumps({"table": table, "action": "update", "data": [self._changed(contract, at)]})

    def _liquidations(self, symbol: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        events: list[tuple[int, str, dict[str, Any]]] = []
        for contract in self._of(symbol):
            for p in self._world.liquidations(contract, from_ns - _LOOK_BACK_NS, to_ns):
                events += [event for event in life(contract, p) if from_ns <= event[0] < to_ns]
        for at, action, row in sorted(events, key=lambda event: event[0]):
            yield at, dumps({"table": "liquidation", "action": action, "data": [row]})

    def _changed(self, contract: Listing, at: int) -> dict[str, Any]:
        """Return what changed since the last beat; each minute the venue tells open interest even if it stands."""
        new, old = self._dialect.instrument(contract, at), self._dialect.instrument(contract, at - self._world.beat_ns)
        always = ("symbol", "timestamp", "openInterest") if at % NS_PER_MINUTE == 0 else ("symbol", "timestamp")
        return {name: value for name, value in new.items() if name in always or old[name] != value}
