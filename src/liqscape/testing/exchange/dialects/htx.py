"""HTX linear and coin-margined swaps, as its documentation says (https://www.htx.com/en-us/opend/newApiPages/).

Where its habits differ from others': every frame is gzip; the server pings in the text and hangs up on those who do not answer
in the same text; open interest, volumes of candles and trades are sums of both sides; prints tell contracts beside coins, with
the direction of the order that closes; the older REST errs in a 200 with `status`, the newer with `code`.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

from liqscape.model import TakerSide
from liqscape.testing.exchange.dialect import Asked, Conversation, Frame, Topics, beats, dumps
from liqscape.testing.exchange.dialects.common import batched, heard, ms, seconds, whole
from liqscape.testing.exchange.dialects.htx_rest import HtxRest
from liqscape.testing.exchange.listing import NS_PER_MS, Listing
from liqscape.testing.exchange.world import Print
from liqscape.units import NS_PER_MINUTE, NS_PER_S

_PING_NS = 5 * NS_PER_S
_PATIENCE = 5  # pings that may stay unanswered
_BATCH_NS = 100 * NS_PER_MS


class Htx(HtxRest):
    """api.hbdm.com, and its other name."""

    key = "htx"
    hosts = ("api.hbdm.com", "api.hbdm.vn")

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open the notifications or the market data of one line."""
        market = "linear" if asked.path.startswith("/linear-") else "inverse"
        path = asked.path.replace("/linear-swap-", "/swap-")
        if path == "/swap-notification":
            return _Notifications(self, market, now_ns)
        return _Market(self, market, now_ns) if path == "/swap-ws" else None


def _packed(value: dict[str, Any]) -> bytes:
    return gzip.compress(dumps(value).encode(), 1, mtime=0)


class _Pinging(Topics):
    """Pings every five seconds; hangs up when five pings were not answered."""

    def __init__(self, dialect: Htx, market: str, now_ns: int) -> None:
        super().__init__()
        self._dialect = dialect
        self._world = dialect.world
        self._market = market
        self._answered_ns = now_ns

    def _every(self, symbol: str) -> list[Listing]:
        return [c for c in self._dialect.contracts.values() if c.market == self._market and symbol in ("*", c.symbol)]

    def _ping(self, at: int) -> dict[str, Any]:
        raise NotImplementedError

    def own(self, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield the pings."""
        for at in beats(from_ns, to_ns, _PING_NS):
            yield at, _packed(self._ping(at))

    def frames(self, from_ns: int, to_ns: int) -> list[tuple[int, Frame]]:
        """Push nothing more once five pings stayed unanswered."""
        until = self._answered_ns + _PATIENCE * _PING_NS
        if to_ns > until:
            self.hung_up = True
        return super().frames(from_ns, min(to_ns, until))

    def _pong(self, stamp: Any, now_ns: int) -> None:
        # Only the text of one of the last pings counts.
        if isinstance(stamp, (int, str)) and str(stamp).isdigit() and 0 <= ms(now_ns) - int(stamp) <= ms(2 * _PING_NS):
            self._answered_ns = max(self._answered_ns, now_ns)


class _Notifications(_Pinging):
    """public.*.liquidation_orders and public.*.funding_rate."""

    def _ping(self, at: int) -> dict[str, Any]:
        return {"op": "ping", "ts": str(ms(at))}

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        """Answer sub, unsub and pong."""
        asked = heard(message)
        operation, topic = str(asked.get("op", "")), str(asked.get("topic", ""))
        if operation == "pong":
            self._pong(asked.get("ts"), now_ns)
            return []
        head = {"op": operation, "cid": str(asked.get("cid", "")), "topic": topic, "ts": ms(now_ns)}
        if operation not in ("sub", "unsub"):
            return [_packed({"op": "error", "ts": ms(now_ns)})]
        public, _, rest = topic.partition(".")
        symbol, _, kind = rest.rpartition(".")
        if public != "public" or kind not in ("liquidation_orders", "funding_rate"):
            return [_packed(head | {"err-code": 2010, "err-msg": "Topic error."})]
        if not self._every(symbol.upper()):
            return [_packed(head | {"err-code": 2011, "err-msg": "Contract doesn't exist."})]
        self.subscribe(topic, now_ns) if operation == "sub" else self.unsubscribe(topic)
        return [_packed(head | {"err-code": 0})]

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield the frames of one topic."""
        symbol, _, kind = topic.removeprefix("public.").rpartition(".")
        every = self._every(symbol.upper())
        if kind == "liquidation_orders":
            for at, found in batched(self._world, every, from_ns, to_ns, _BATCH_NS, forced=True):
                rows = [self._dialect.liquidation(c, p) for c, p in found]
                yield at, _packed({"op": "notify", "topic": topic, "ts": ms(at), "data": rows})
            return
        for at in beats(from_ns, to_ns, NS_PER_MINUTE):
            rows = [self._rate(c, at) for c in every]
            yield at, _packed({"op": "notify", "topic": topic, "ts": ms(at), "data": rows})

    def _rate(self, contract: Listing, at: int) -> dict[str, Any]:
        quote = self._world.ticker(contract, at)
        return {
            "symbol": contract.base,
            "contract_code": contract.symbol,
            "fee_asset": contract.quote,
            "funding_time": str(ms(at)),
            "funding_rate": f"{quote.funding_rate:.18f}",
            "estimated_rate": None,
            "settlement_time": str(ms(quote.next_funding_ns)),
        }


class _Market(_Pinging):
    """market.$contract.trade.detail, .detail and .kline.1min."""

    def _ping(self, at: int) -> dict[str, Any]:
        return {"ping": ms(at)}

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        """Answer sub, unsub, ping and pong."""
        asked = heard(message)
        if "pong" in asked:
            self._pong(asked["pong"], now_ns)
            return []
        if "ping" in asked:
            return [_packed({"pong": asked["ping"]})]
        topic = str(asked.get("sub") or asked.get("unsub") or "")
        parts = topic.split(".")
        known = len(parts) >= 3 and parts[0] == "market" and parts[2] in ("trade", "detail", "kline")
        head = {"id": str(asked.get("id", "")), "ts": ms(now_ns)}
        if not known or not self._every(parts[1].upper()) or parts[1] == "*":
            words = {"err-code": "bad-request", "err-msg": f"invalid topic {topic}"}
            return [_packed(head | {"status": "error"} | words)]
        self.subscribe(topic, now_ns) if "sub" in asked else self.unsubscribe(topic)
        return [_packed(head | {"status": "ok", "subbed" if "sub" in asked else "unsubbed": topic})]

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield the frames of one topic."""
        _, symbol, kind = topic.split(".")[:3]
        contract = self._dialect.contracts[symbol.upper()]
        if kind == "trade":
            for at, found in batched(self._world, [contract], from_ns, to_ns, self._world.beat_ns, forced=False):
                rows = [self._trade(c, p) for c, p in found]
                yield at, _packed({"ch": topic, "ts": ms(at), "tick": {"id": ms(at), "ts": ms(at), "data": rows}})
            return
        for at in beats(from_ns, to_ns, self._world.beat_ns):
            candle = self._world.minute(contract, at)
            tick = {"id": seconds(candle.start_ns), "mrid": ms(at), "open": candle.open, "close": candle.close}
            tick |= {"high": candle.high, "low": candle.low, "amount": round(2.0 * candle.base, 8), "count": candle.trades}
            tick |= {"vol": whole(2.0 * candle.quantity), "trade_turnover": round(2.0 * candle.turnover, 8)}
            yield at, _packed({"ch": topic, "ts": ms(at), "tick": tick})

    def _trade(self, contract: Listing, p: Print) -> dict[str, Any]:
        # Both sides of a trade are counted, as the documentation says and recorded frames show: all amounts are even.
        return {
            "amount": whole(2.0 * p.quantity),
            "quantity": round(2.0 * contract.base_of(p.quantity, p.price), 8),
            "trade_turnover": round(2.0 * contract.quote_of(p.quantity, p.price), 8),
            "ts": ms(p.ts_ns),
            "id": p.number,
            "price": p.price,
            "direction": "buy" if p.taker_side is TakerSide.BUY else "sell",
        }
