"""Hyperliquid perpetuals, as its documentation says (https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api).

Where its habits differ from others': everything is asked for by POST at one path; accounts are public; trades name buyer and
seller and begin with a snapshot; no feed tells liquidations, only the fills of those who took part do; weights depend on what is
asked; a connection on which nothing is said for a minute is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from liqscape.testing.exchange.dialect import Asked, Conversation, Frame, Topics, beats, dumps
from liqscape.testing.exchange.dialects.common import batched, heard, ms
from liqscape.testing.exchange.dialects.hyperliquid_info import HyperliquidInfo
from liqscape.testing.exchange.listing import NS_PER_MS
from liqscape.units import NS_PER_MINUTE, NS_PER_S

_BLOCK_NS = 500 * NS_PER_MS
_USERS = 10  # that one address may follow
_COINS = ("trades", "activeAssetCtx", "l2Book")
_ALONE = ("allMids", "allDexsAssetCtxs")


class Hyperliquid(HyperliquidInfo):
    """api.hyperliquid.xyz and stats-data.hyperliquid.xyz."""

    key = "hyperliquid"
    hosts = ("api.hyperliquid.xyz", "stats-data.hyperliquid.xyz")

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open /ws."""
        return _Conversation(self, now_ns) if asked.path == "/ws" else None


class _Conversation(Topics):
    """Subscriptions trades, activeAssetCtx, l2Book, allMids, allDexsAssetCtxs and userFills."""

    def __init__(self, dialect: Hyperliquid, now_ns: int) -> None:
        super().__init__()
        self._dialect = dialect
        self._world = dialect.world
        self._said_ns = now_ns  # when the venue said something the last time

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        """Answer ping, subscribe and unsubscribe."""
        self._said_ns = now_ns
        asked = heard(message)
        method = str(asked.get("method", ""))
        if method == "ping":
            return [dumps({"channel": "pong"})]
        wanted = cast("dict[str, Any]", asked.get("subscription") or {})
        kind = str(wanted.get("type", ""))
        topic = f"{kind} {wanted.get('coin') or wanted.get('user') or ''}"
        known = kind in _ALONE or (kind in _COINS and wanted.get("coin") in self._dialect.contracts) or kind == "userFills"
        if method not in ("subscribe", "unsubscribe") or not known:
            return [dumps({"channel": "error", "data": f"Invalid subscription {dumps(wanted)}"})]
        if method == "subscribe" and topic in self.since_ns:
            return [dumps({"channel": "error", "data": f"Already subscribed: {dumps(wanted)}"})]
        followed = sum(1 for name in self.since_ns if name.startswith("userFills"))
        if method == "subscribe" and kind == "userFills" and followed >= _USERS:
            return [dumps({"channel": "error", "data": "Cannot track more than 10 total users."})]
        self.subscribe(topic, now_ns) if method == "subscribe" else self.unsubscribe(topic)
        told = dumps({"channel": "subscriptionResponse", "data": {"method": method, "subscription": wanted}})
        return [told, *(self._snapshot(kind, wanted, now_ns) if method == "subscribe" else [])]

    def _snapshot(self, kind: str, wanted: dict[str, Any], now_ns: int) -> list[Frame]:
        if kind == "trades":
            return [dumps({"channel": "trades", "data": self._dialect.recent(self._dialect.contracts[wanted["coin"]], now_ns)})]
        if kind == "userFills":
            fills = self._dialect.fills(str(wanted["user"]), now_ns - 60 * NS_PER_MINUTE, now_ns)
            return [dumps({"channel": kind, "data": {"isSnapshot": True, "user": wanted["user"], "fills": fills}})]
        return []

    def frames(self, from_ns: int, to_ns: int) -> list[tuple[int, Frame]]:
        """Close a connection on which nothing was said for a minute."""
        found = super().frames(from_ns, to_ns)
        for at, _ in found:
            if at - self._said_ns > NS_PER_MINUTE:
                break
            self._said_ns = at
        until = self._said_ns + NS_PER_MINUTE
        if to_ns > until:
            self.hung_up = True
        return [(at, frame) for at, frame in found if at <= until]

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield the frames of one subscription."""
        kind, _, of = topic.partition(" ")
        dialect = self._dialect
        if kind == "trades":
            for at, found in batched(self._world, [dialect.contracts[of]], from_ns, to_ns, _BLOCK_NS, forced=False):
                yield at, dumps({"channel": kind, "data": [dialect.trade(c, p) for c, p in found]})
        elif kind == "userFills":
            for at in beats(from_ns, to_ns, NS_PER_S):
                fills = dialect.fills(of, at - NS_PER_S, at)
                if fills:
                    yield at, dumps({"channel": kind, "data": {"user": of, "fills": fills}})
        else:
            for at in beats(from_ns, to_ns, self._world.beat_ns):
                yield at, dumps({"channel": kind, "data": self._told(kind, of, at)})

    def _told(self, kind: str, of: str, at: int) -> Any:
        dialect = self._dialect
        if kind == "allMids":
            return {"mids": {c.symbol: c.price(self._world.ticker(c, at).last) for c in dialect.contracts.values()}}
        if kind == "allDexsAssetCtxs":
            return {"ctxs": [["", dialect.contexts(at)]], "time": ms(at)}
        contract = dialect.contracts[of]
        return (
            {"coin": of, "ctx": dialect.context(contract, at)}
            if kind == "activeAssetCtx"
            else dialect.book(contract, at, None, None)
        )
