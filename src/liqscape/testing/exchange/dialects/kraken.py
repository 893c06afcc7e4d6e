"""Kraken Futures perpetuals, as its documentation says (https://docs.kraken.com/exchange/).

Where its habits differ from others': liquidations are trades of another type, with the taker's side; a subscription to trades
begins with the last hundred; quantities are coins for PF_ and dollars for PI_; the funding rate is money per contract and hour,
the rate as a fraction stands beside it; candles are asked for at another path, in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from liqscape.testing.exchange.dialect import Asked, Conversation, Frame, Topics, beats, dumps
from liqscape.testing.exchange.dialects.common import heard, ms, recent, words
from liqscape.testing.exchange.dialects.kraken_rest import KrakenRest, side, uid
from liqscape.testing.exchange.listing import Listing
from liqscape.testing.exchange.world import Print
from liqscape.units import NS_PER_S

_FEEDS = ("trade", "ticker", "ticker_lite", "heartbeat")
_SNAPSHOT = 100


class Kraken(KrakenRest):
    """futures.kraken.com."""

    key = "kraken"
    hosts = ("futures.kraken.com",)

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open /ws/v1."""
        return _Conversation(self) if asked.path == "/ws/v1" else None


class _Conversation(Topics):
    """Feeds trade, ticker, ticker_lite and heartbeat."""

    def __init__(self, dialect: Kraken) -> None:
        super().__init__()
        self._dialect = dialect
        self._world = dialect.world

    def opening(self, now_ns: int) -> list[Frame]:
        """Greet."""
        return [dumps({"event": "info", "version": 1})]

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        """Answer subscribe and unsubscribe; each product is acknowledged alone."""
        asked = heard(message)
        event, feed = str(asked.get("event", "")), str(asked.get("feed", ""))
        if event not in ("subscribe", "unsubscribe"):
            return [dumps({"event": "error", "message": "Json Error" if not asked else "Invalid event"})]
        if feed not in _FEEDS:
            return [dumps({"event": "error", "message": "Invalid feed"})]
        if feed == "heartbeat":
            self.subscribe(feed, now_ns) if event == "subscribe" else self.unsubscribe(feed)
            return [dumps({"event": f"{event}d", "feed": feed})]
        replies: list[Frame] = []
        for symbol in words(asked.get("product_ids")):
            contract = self._dialect.contracts.get(symbol)
            if contract is None:
                replies.append(dumps({"event": "error", "message": "Invalid product id"}))
                continue
            topic = f"{feed} {symbol}"
            fresh = topic not in self.since_ns
            self.subscribe(topic, now_ns) if event == "subscribe" else self.unsubscribe(topic)
            replies.append(dumps({"event": f"{event}d", "feed": feed, "product_ids": [symbol]}))
            if event == "subscribe" and feed == "trade" and fresh:
                replies.append(self._snapshot(contract, now_ns))
        return replies

    def _snapshot(self, contract: Listing, now_ns: int) -> str:
        """Return the last hundred trades, newest first."""
        found = recent(self._world, contract, now_ns, _SNAPSHOT)[::-1]
        head = {"feed": "trade_snapshot", "product_id": contract.symbol}
        return dumps(head | {"trades": [self._trade(contract, p) for p in found]})

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield the frames of one feed of one product; trades come one by one."""
        feed, _, symbol = topic.partition(" ")
        if feed == "heartbeat":
            for at in beats(from_ns, to_ns, NS_PER_S):
                yield at, dumps({"feed": "heartbeat", "time": ms(at)})
        elif feed == "trade":
            contract = self._dialect.contracts[symbol]
            for p in self._world.trades(contract, from_ns, to_ns):
                yield p.ts_ns, dumps(self._trade(contract, p))
        else:
            contract = self._dialect.contracts[symbol]
            for at in beats(from_ns, to_ns, self._world.beat_ns):
                yield at, dumps(self._ticker(contract, at, feed))

    def _trade(self, contract: Listing, p: Print) -> dict[str, Any]:
        return {
            "feed": "trade",
            "product_id": contract.symbol,
            "uid": uid(contract, p),
            "side": side(p),
            "type": "fill" if p.bankruptcy is None else "liquidation",
            "seq": p.number,
            "time": ms(p.ts_ns),
            "qty": p.quantity,
            "price": p.price,
        }

    def _ticker(self, contract: Listing, at: int, feed: str) -> dict[str, Any]:
        quote = self._world.ticker(contract, at)
        rates = {"relative_funding_rate": quote.funding_rate, "relative_funding_rate_prediction": quote.funding_rate * 1.1}
        absolute = self._dialect.absolute_rate(contract, quote.funding_rate, quote.index)
        rates |= {"funding_rate": absolute, "funding_rate_prediction": absolute * 1.1}
        head = {
            "feed": feed,
            "product_id": contract.symbol,
            "time": ms(at),
            "bid": quote.last - contract.tick,
            "ask": quote.last + contract.tick,
            "bid_size": contract.step * 9,
            "ask_size": contract.step * 7,
            "volume": quote.volume,
            "dtm": 0,
            "leverage": "50x",
            "premium": 0.0,
            "last": quote.last,
            "change": 1.99,
            "tag": "perpetual",
            "pair": f"{contract.base}:USD",
            "maturityTime": 0,
            "volumeQuote": quote.turnover,
        }
        if feed == "ticker_lite":
            return head
        state = {"suspended": False, "post_only": False, "open": quote.last, "high": quote.last, "low": quote.last}
        prices = {"index": quote.index, "markPrice": quote.mark, "openInterest": quote.open_interest}
        return head | state | prices | rates | {"next_funding_rate_time": ms(quote.next_funding_ns)}
