"""Deribit perpetuals, as its documentation says (https://docs.deribit.com/).

Where its habits differ from others': liquidations are trades with a mark that says whether the taker (T) or the maker (M) was
liquidated; amounts are dollars for inverse and coins for linear contracts whatever the size of a contract; a socket speaks
JSON-RPC and tests its client once it asked for heartbeats; raw channels want a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from liqscape.testing.exchange.dialect import Asked, Conversation, Frame, Topics, beats, dumps
from liqscape.testing.exchange.dialects.common import batched, heard, words
from liqscape.testing.exchange.dialects.deribit_rest import DeribitRest, Failure, replied
from liqscape.testing.exchange.listing import NS_PER_MS, Listing
from liqscape.units import NS_PER_S

_BATCH_NS = 100 * NS_PER_MS
_LEAST_HEARTBEAT_S = 10


class Deribit(DeribitRest):
    """www.deribit.com, and streams.deribit.com for those without a key."""

    key = "deribit"
    hosts = ("www.deribit.com", "streams.deribit.com")

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open /ws/api/v2."""
        return _Conversation(self) if asked.path == "/ws/api/v2" else None


class _Conversation(Topics):
    """Channels trades and ticker, of an instrument or of all of a currency."""

    def __init__(self, dialect: Deribit) -> None:
        super().__init__()
        self._dialect = dialect
        self._world = dialect.world
        self._heartbeat_ns = 0
        self._heartbeat_from_ns = 0
        self._answered_ns = 0

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        """Answer a call."""
        asked = heard(message)
        method, request = str(asked.get("method", "")), asked.get("id")
        params = cast("dict[str, Any]", asked.get("params") or {})
        if not method:
            return [dumps(replied(None, None, (-32700, "Parse error", {}), now_ns))]
        result, failure = self._called(method, params, now_ns)
        return [dumps(replied(request, result, failure, now_ns))]

    def _called(self, method: str, params: dict[str, Any], now_ns: int) -> tuple[Any, Failure | None]:
        if method == "public/set_heartbeat":
            interval = int(params.get("interval") or 0)
            if interval < _LEAST_HEARTBEAT_S:
                return None, (-32602, "Invalid params", {"reason": "value too low", "param": "interval"})
            self._heartbeat_ns, self._heartbeat_from_ns, self._answered_ns = interval * NS_PER_S, now_ns, now_ns
            return "ok", None
        if method == "public/disable_heartbeat":
            self._heartbeat_ns = 0
            return "ok", None
        if method == "public/test":
            self._answered_ns = now_ns
        channels = words(params.get("channels"))
        if method == "public/subscribe":
            return self._subscribed(channels, now_ns)
        if method in ("public/unsubscribe", "public/unsubscribe_all"):
            gone = [topic for topic in (channels or list(self.since_ns)) if topic in self.since_ns]
            for topic in gone:
                self.unsubscribe(topic)
            return gone, None
        return self._dialect.call(method, params, now_ns)

    def _subscribed(self, channels: list[str], now_ns: int) -> tuple[Any, Failure | None]:
        if any(channel.endswith(".raw") for channel in channels):
            return None, (13778, "raw_subscriptions_not_available_for_unauthorized", {})
        known = [channel for channel in channels if self._of(channel)]
        if not known:
            return None, (-32602, "Invalid params", {"reason": "unknown channel", "param": "channels"})
        for channel in known:
            self.subscribe(channel, now_ns)
        # What is not known is left out without a word.
        return known, None

    def _of(self, channel: str) -> list[Listing]:
        parts = channel.split(".")
        if parts[0] == "trades" and len(parts) == 4 and parts[1] in ("future", "any"):
            settled = {c.symbol: "USDC" if c.market == "linear" else c.base for c in self._dialect.contracts.values()}
            return [c for c in self._dialect.contracts.values() if parts[2] in ("any", settled[c.symbol])]
        contract = self._dialect.contracts.get(parts[1]) if len(parts) == 3 and parts[0] in ("trades", "ticker") else None
        return [] if contract is None else [contract]

    def own(self, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield heartbeats and the test that must be answered."""
        if not self._heartbeat_ns:
            return
        for at in beats(max(from_ns, self._heartbeat_from_ns), to_ns, self._heartbeat_ns):
            yield at, dumps({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "heartbeat"}})
            yield at, dumps({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}})

    def frames(self, from_ns: int, to_ns: int) -> list[tuple[int, Frame]]:
        """Push nothing more once a test was not answered before the next one."""
        if not self._heartbeat_ns:
            return super().frames(from_ns, to_ns)
        until = self._answered_ns + 3 * self._heartbeat_ns
        if to_ns > until:
            self.hung_up = True
        return super().frames(from_ns, min(to_ns, until))

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield the frames of one channel."""
        every = self._of(topic)
        if topic.startswith("trades."):
            for at, found in batched(self._world, every, from_ns, to_ns, _BATCH_NS, forced=False):
                rows = [self._dialect.trade(contract, p) for contract, p in found]
                for contract in every:
                    mine = [row for row in rows if row["instrument_name"] == contract.symbol]
                    if mine:
                        yield at, self._pushed(topic, mine)
            return
        for at in beats(from_ns, to_ns, self._world.beat_ns):
            yield at, self._pushed(topic, self._dialect.ticker(every[0], at))

    def _pushed(self, channel: str, data: Any) -> str:
        return dumps({"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}})
