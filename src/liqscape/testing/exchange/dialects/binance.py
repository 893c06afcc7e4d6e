"""Binance USD-M and COIN-M, as the official connectors and the notice of 2026-03-06 say.

Habits: fstream is split into /public, /market and /private, and a stream asked for on the wrong path is acknowledged and stays
silent; `!forceOrder@arr` on fstream also carries COIN-M (`st` 2, in contracts); of each second a symbol shows its latest forced
order alone; `S` is the side of the closing order, `z` what was filled, `l` only the last fill; COIN-M counts contracts and coins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from liqscape.model import PositionSide, TakerSide
from liqscape.testing.exchange.dialect import Asked, Conversation, Frame, Topics, beats, dumps
from liqscape.testing.exchange.dialects.binance_rest import BinanceRest, ms
from liqscape.testing.exchange.listing import Listing
from liqscape.testing.exchange.world import Print, World
from liqscape.units import NS_PER_MINUTE, NS_PER_S

_PUBLIC = ("depth", "bookTicker", "trade", "rpiDepth")


class BinanceUsdm(BinanceRest):
    """fapi.binance.com and fstream.binance.com."""

    key = "binance_usdm"
    hosts = ("fapi.binance.com", "fstream.binance.com", "www.binance.com")
    prefix = "/fapi/v1"
    coin_margined = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.merged = BinanceCoinm(world)  # its forced orders come over this one's socket too

    def listings(self) -> list[Listing]:
        """Return BTCUSDT and so on."""
        return [self.linear("binance", f"{coin}USDT", coin, "USDT") for coin in self.world.coins]

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open any path: one without a route, or with the wrong one, lives in silence."""
        route, _, rest = asked.path.lstrip("/").partition("/")
        if route not in ("public", "market", "private"):
            route, rest = "", asked.path.lstrip("/")
        return _Conversation(self, route, rest, asked.query.get("streams", ""), now_ns)


class BinanceCoinm(BinanceRest):
    """dapi.binance.com and dstream.binance.com."""

    key = "binance_coinm"
    hosts = ("dapi.binance.com", "dstream.binance.com", "www.binance.com")
    prefix = "/dapi/v1"
    coin_margined = True

    def listings(self) -> list[Listing]:
        """Return BTCUSD_PERP and so on: 100 USD for BTC, 10 USD for the others."""
        return [
            self.inverse("binance", f"{coin}USD_PERP", coin, 100.0 if coin == "BTC" else 10.0, market="coinm")
            for coin in self.world.coins
        ]

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open /ws or /stream, not split."""
        return _Conversation(self, "any", asked.path.lstrip("/"), asked.query.get("streams", ""), now_ns)


class _Conversation(Topics):
    """Streams by name, in the path, in the query, or by SUBSCRIBE."""

    def __init__(self, dialect: BinanceUsdm | BinanceCoinm, route: str, rest: str, streams: str, now_ns: int) -> None:
        super().__init__()
        self._dialect = dialect
        self._world = dialect.world
        self._route = route
        self._wrapped = rest.startswith("stream")
        named = streams.split("/") if streams else rest.split("/")[1:]
        for stream in named:
            self.subscribe(stream, now_ns)

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        try:
            heard: dict[str, Any] = msgspec.json.decode(message)
            method, number, names = heard["method"], heard.get("id"), heard.get("params", [])
        except (msgspec.DecodeError, KeyError, TypeError):
            return [dumps({"code": 2, "msg": "Invalid request: unknown format"})]
        if method == "SUBSCRIBE":
            for name in names:
                self.subscribe(name, now_ns)
        elif method == "UNSUBSCRIBE":
            for name in names:
                self.unsubscribe(name)
        elif method == "LIST_SUBSCRIPTIONS":
            return [dumps({"result": list(self.since_ns), "id": number})]
        else:
            return [dumps({"code": 2, "msg": f"Invalid request: unknown method {method}", "id": number})]
        return [dumps({"result": None, "id": number})]

    def _here(self, kind: str) -> bool:
        """Return whether the stream is pushed on this path."""
        return self._route == "any" or self._route == ("public" if kind in _PUBLIC else "market")

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        name, _, rest = topic.partition("@")
        kind = rest.partition("@")[0]
        if name in ("!forceOrder", "!markPrice", "!ticker"):
            kind = name[1:]
        if not self._here(kind.rstrip("0123456789")) or (kind == "ticker" and not name):
            return
        contracts = self._contracts(name)
        if name == "!markPrice":
            for at in beats(from_ns, to_ns, self._world.beat_ns):
                yield at, self._wrap(topic, [self._mark(c, at) for c in contracts])
            return
        for contract in contracts:
            for at, event in self._events(contract, kind, from_ns, to_ns):
                yield at, self._wrap(topic, event)

    def _contracts(self, name: str) -> list[Listing]:
        own = list(self._dialect.contracts.values())
        if name == "!forceOrder" and isinstance(self._dialect, BinanceUsdm):
            return [*own, *self._dialect.merged.contracts.values()]
        if name.startswith("!"):
            return own
        # Names of streams are in small letters; others are acknowledged and mean nothing.
        return [c for c in own if c.symbol.lower() == name]

    def _wrap(self, topic: str, event: Any) -> str:
        return dumps({"stream": topic, "data": event} if self._wrapped else event)

    def _events(self, contract: Listing, kind: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, dict[str, Any]]]:
        beat_ns = self._world.beat_ns
        if kind == "forceOrder":
            yield from self._forced(contract, from_ns, to_ns)
        elif kind in ("aggTrade", "trade"):
            for p in self._world.trades(contract, from_ns, to_ns):
                yield p.ts_ns, self._trade(contract, p, kind)
        elif kind == "markPrice":
            for at in beats(from_ns, to_ns, beat_ns):
                yield at, self._mark(contract, at)
        elif kind == "ticker":
            for at in beats(from_ns, to_ns, beat_ns):
                yield at, {"e": "24hrTicker", "E": ms(at), **self._pair(contract), **self._dialect.day_letters(contract, at)}
        elif kind == "miniTicker":
            for at in beats(from_ns, to_ns, beat_ns):
                letters = self._dialect.day_letters(contract, at)
                told = {name: letters[name] for name in ("c", "o", "h", "l", "v", "q")}
                yield at, {"e": "24hrMiniTicker", "E": ms(at), **self._pair(contract), **told}
        elif kind.startswith("kline_1m"):
            for at in beats(from_ns, to_ns, beat_ns):
                yield at, self._kline(contract, at)
        elif kind == "bookTicker":
            for at in beats(from_ns, to_ns, beat_ns):
                yield at, self._best(contract, at)
        elif kind.startswith("depth"):
            for at in beats(from_ns, to_ns, NS_PER_MINUTE):
                yield at, self._depth(contract, at)

    def _pair(self, contract: Listing) -> dict[str, Any]:
        coin = contract.market == "coinm"
        pair = contract.symbol.partition("_")[0]
        return {"s": contract.symbol, "ps": pair, "st": 2 if coin else 1}

    def _forced(self, contract: Listing, from_ns: int, to_ns: int) -> Iterator[tuple[int, dict[str, Any]]]:
        first = -(-from_ns // NS_PER_S) * NS_PER_S
        last = -(-to_ns // NS_PER_S) * NS_PER_S
        shown: dict[int, Print] = {}
        for p in self._world.liquidations(contract, first - NS_PER_S, last - NS_PER_S):
            shown[p.ts_ns // NS_PER_S] = p  # the latest of its second
        for second, p in shown.items():
            at = (second + 1) * NS_PER_S
            coin = contract.market == "coinm"
            order = {
                "s": contract.symbol,
                "S": "SELL" if p.position_side is PositionSide.LONG else "BUY",
                "o": "LIMIT",
                "f": "IOC",
                "q": contract.quantity(p.quantity),
                "p": contract.price(p.bankruptcy or p.price),
                "ap": contract.price(p.price),
                "X": "FILLED",
                "l": contract.quantity(contract.step),
                "z": contract.quantity(p.quantity),
                "T": ms(p.ts_ns),
            }
            pair = contract.symbol.partition("_")[0]
            event: dict[str, Any] = {"e": "forceOrder", "E": ms(at), "o": order, "st": 2 if coin else 1}
            if coin:
                order["ps"] = pair
            else:
                event["ps"] = pair
            yield at, event

    def _trade(self, contract: Listing, p: Print, kind: str) -> dict[str, Any]:
        numbers: dict[str, Any] = (
            {"t": p.number, "X": "MARKET"} if kind == "trade" else {"a": p.number, "f": p.number, "l": p.number}
        )
        return {
            "e": kind,
            "E": ms(p.ts_ns),
            **self._pair(contract),
            "p": contract.price(p.price),
            "q": contract.quantity(p.quantity),
            "nq": contract.quantity(p.quantity),
            "T": ms(p.ts_ns),
            "m": p.taker_side is TakerSide.SELL,
            **numbers,
        }

    def _mark(self, contract: Listing, at_ns: int) -> dict[str, Any]:
        quote = self._world.ticker(contract, at_ns)
        return {
            "e": "markPriceUpdate",
            "E": ms(at_ns),
            **self._pair(contract),
            "p": f"{quote.mark:.8f}",
            "ap": f"{quote.mark:.8f}",
            "P": f"{quote.mark:.8f}",
            "i": f"{quote.index:.8f}",
            "r": f"{quote.funding_rate:.8f}",
            "T": ms(quote.next_funding_ns),
        }

    def _kline(self, contract: Listing, at_ns: int) -> dict[str, Any]:
        ended = at_ns % NS_PER_MINUTE == 0
        candle = self._world.minute(contract, at_ns - 1 if ended else at_ns, at_ns)
        row = self._dialect.kline_row(contract, candle, NS_PER_MINUTE)
        names = ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")
        told = dict(zip(names, row, strict=True))
        return {
            "e": "kline",
            "E": ms(at_ns),
            **self._pair(contract),
            "k": {**told, "s": contract.symbol, "i": "1m", "f": 100, "L": 200, "x": ended},
        }

    def _best(self, contract: Listing, at_ns: int) -> dict[str, Any]:
        last = self._world.last_price(contract, at_ns)
        return {
            "e": "bookTicker",
            "u": ms(at_ns),
            **self._pair(contract),
            "b": contract.price(last - contract.tick),
            "B": contract.quantity(contract.step * 9),
            "a": contract.price(last + contract.tick),
            "A": contract.quantity(contract.step * 7),
            "T": ms(at_ns),
            "E": ms(at_ns),
        }

    def _depth(self, contract: Listing, at_ns: int) -> dict[str, Any]:
        book = self._world.book(contract, at_ns, 20)
        sides = [[[contract.price(p), contract.quantity(q)] for p, q in rows] for rows in (book.bids, book.asks)]
        update = ms(at_ns)
        numbers = {"U": update, "u": update + 7, "pu": update - 1}
        return {"e": "depthUpdate", "E": update, "T": update, **self._pair(contract), **numbers, "b": sides[0], "a": sides[1]}
