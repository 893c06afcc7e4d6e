"""What BitMEX answers over HTTP, and the rows that its socket shares with it."""

from __future__ import annotations

import json
from typing import Any

from liqscape.model import ContractKind, TakerSide
from liqscape.testing.exchange.dialect import Answer, Asked, Cost, Dialect, Refusal, said
from liqscape.testing.exchange.dialects.common import Reader, from_iso, iso, mark_of, recent, stamps, whole
from liqscape.testing.exchange.listing import Listing, usual_tick
from liqscape.testing.exchange.world import Print
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S

_BINS = {"1m": 1, "5m": 5, "1h": 60, "1d": 1_440}
_PER_COIN = {"BTC": 1_000_000, "ETH": 100_000, "SOL": 10_000}  # contracts of a linear swap that make one coin
_STAYS_NS = 5 * NS_PER_S  # a liquidation order stands in the book for so long
_SHRINKS_NS = 2 * NS_PER_S  # and half of it is done after so long


def venue_coin(base: str) -> str:
    """Return the venue's name of a coin: XBT is Bitcoin."""
    return "XBT" if base == "BTC" else base


class BitmexRest(Dialect):
    """Answers under /api/v1."""

    def listings(self) -> list[Listing]:
        """Return XBTUSD, one dollar a contract, and XBTUSDT for every coin, millionths of a coin."""
        linear: list[Listing] = []
        for coin in self.world.coins:
            size, tick = 1.0 / _PER_COIN.get(coin, 1_000), usual_tick(self.world.price_of(coin))
            name = f"{venue_coin(coin)}USDT"
            linear.append(Listing("bitmex", name, coin, "USDT", ContractKind.LINEAR, size, 1.0, tick, market="linear"))
        inverse = [self.inverse("bitmex", "XBTUSD", "BTC", 1.0, market="inverse")] if "BTC" in self.world.coins else []
        return [*inverse, *linear]

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes: 30 a minute and address without a key."""
        return (("ip", 1.0, 30.0, 60.0),)

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer /api/v1/.. ."""
        answers: dict[str, Reader] = {
            "instrument": lambda cs: [self.instrument(c, now_ns) for c in cs],
            "instrument/active": lambda _: self._active(now_ns),
            "trade/bucketed": lambda cs: self._bucketed(cs[0], asked, now_ns),
            "trade": lambda cs: self._trades(cs[0], asked, now_ns),
            "funding": lambda cs: self._funding(cs[0], asked, now_ns),
            "orderBook/L2": lambda cs: self._book(cs[0], asked, now_ns),
            "liquidation": lambda cs: [row for c in cs for row in self.standing(c, now_ns)],
        }
        name = asked.path.removeprefix("/api/v1/")
        if not asked.path.startswith("/api/v1/") or name not in answers:
            return self.missing(asked)
        symbol = asked.query.get("symbol", "")
        if symbol and symbol not in self.contracts:
            # Tables are filtered by the symbol, so an unknown one is an empty table; a book is not.
            return _wrong("Symbol is invalid.") if name.startswith("orderBook") else said([])
        if not symbol and name in ("trade/bucketed", "trade", "funding", "orderBook/L2"):
            return _wrong("symbol is a required arg.")
        if "binSize" in asked.query and asked.query["binSize"] not in _BINS:
            return _wrong("Invalid binSize: use 1m, 5m, 1h or 1d.")
        found = answers[name]([self.contracts[symbol]] if symbol else list(self.contracts.values()))
        return said(_columns(found, asked.query.get("columns", "")), headers={"x-ratelimit-limit": "30"})

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """Say RateLimitError with Retry-After, 403 for a ban, 503 under load."""
        if refusal is Refusal.LIMITED:
            wait = int(wait_s or 60)
            headers = {"retry-after": str(wait), "x-ratelimit-limit": "30", "x-ratelimit-remaining": "0"}
            words = f"Rate limit exceeded, retry in {wait} seconds."
            return said({"error": {"message": words, "name": "RateLimitError"}}, 429, headers)
        if refusal is Refusal.BANNED:
            return said({"error": {"message": "Your address has been blocked for a while.", "name": "HTTPError"}}, 403)
        return said(
            {"error": {"message": "The system is currently overloaded. Please try again later.", "name": "HTTPError"}}, 503
        )

    def missing(self, asked: Asked) -> Answer:
        """Return the 404 of the venue."""
        return said({"error": {"message": "Not Found", "name": "HTTPError"}}, 404)

    def instrument(self, contract: Listing, ts_ns: int) -> dict[str, Any]:
        """Return a row of the table `instrument`: open interest in contracts, one side."""
        inverse = contract.kind is ContractKind.INVERSE
        quote, tiers, coin = self.world.ticker(contract, ts_ns), self.world.tiers(contract), venue_coin(contract.base)
        satoshis = 100_000_000
        home = contract.base_of(quote.volume, quote.last)
        interval_ns = contract.funding_hours * NS_PER_HOUR
        return {
            "symbol": contract.symbol,
            "rootSymbol": coin,
            "state": "Open",
            "typ": "FFWCSX",
            "listing": "2016-05-13T12:00:00.000Z",
            "front": "2016-05-13T12:00:00.000Z",
            "expiry": None,
            "settle": None,
            "positionCurrency": "USD" if inverse else coin,
            "underlying": coin,
            "quoteCurrency": contract.quote,
            "underlyingSymbol": f"{coin}=",
            "reference": "BMEX",
            "referenceSymbol": f".B{coin}",
            "maxOrderQty": 10_000_000,
            "lotSize": 100 if inverse else 1000,
            "tickSize": contract.tick,
            "multiplier": -satoshis if inverse else round(1_000_000 * contract.contract_size),
            "settlCurrency": "XBt" if inverse else "USDt",
            "underlyingToPositionMultiplier": None if inverse else round(1.0 / contract.contract_size),
            "underlyingToSettleMultiplier": -satoshis if inverse else None,
            "quoteToSettleMultiplier": None if inverse else 1_000_000,
            "isQuanto": False,
            "isInverse": inverse,
            "initMargin": tiers[0].initial_margin_rate,
            "maintMargin": tiers[0].maintenance_margin_rate,
            "riskLimit": 20_000_000_000 if inverse else 1_000_000_000_000,
            "riskStep": 15_000_000_000 if inverse else 500_000_000_000,
            "taxed": True,
            "deleverage": True,
            "makerFee": -0.0001,
            "takerFee": 0.00075,
            "fundingTimestamp": iso(quote.next_funding_ns),
            "fundingInterval": iso(946_684_800 * NS_PER_S + interval_ns),
            "fundingRate": quote.funding_rate,
            "indicativeFundingRate": round(quote.funding_rate * 1.1, 8),
            "prevPrice24h": quote.last,
            "volume24h": whole(quote.volume),
            "turnover24h": round(home * satoshis) if inverse else round(quote.turnover * 1_000_000),
            "homeNotional24h": home,
            "foreignNotional24h": quote.turnover,
            "highPrice": quote.last + 100 * contract.tick,
            "lowPrice": quote.last - 100 * contract.tick,
            "lastPrice": quote.last,
            "lastTickDirection": "PlusTick",
            "bidPrice": quote.last - contract.tick,
            "midPrice": quote.last,
            "askPrice": quote.last + contract.tick,
            "hasLiquidity": True,
            "openInterest": whole(quote.open_interest),
            "openValue": round(quote.open_interest / quote.mark * satoshis) if inverse else whole(quote.open_interest),
            "fairMethod": "FundingRate",
            "fairPrice": quote.mark,
            "markMethod": "FairPrice",
            "markPrice": quote.mark,
            "indicativeSettlePrice": quote.index,
            "instantPnl": True,
            "timestamp": iso(ts_ns),
        }

    def _active(self, now_ns: int) -> list[dict[str, Any]]:
        """Return the table with what stands in it beside our swaps: a quanto one, a dated future, an index."""
        rows = [self.instrument(c, now_ns) for c in self.contracts.values()]
        quanto = rows[0] | {"symbol": "ETHUSD", "isQuanto": True, "isInverse": False, "underlying": "ETH", "multiplier": 100}
        dated = rows[0] | {"symbol": "XBTZ26", "typ": "FFCCSX", "expiry": "2026-12-25T12:00:00.000Z", "fundingRate": None}
        index = {"symbol": ".BXBT", "typ": "MRCXXX", "state": "Unlisted", "underlying": "XBT", "quoteCurrency": "USD"}
        nothing: dict[str, Any] = {name: None for name in rows[0] if name not in index}
        return [*rows, quanto, dated | {"fundingInterval": None}, index | nothing | {"isQuanto": False, "isInverse": False}]

    def _bucketed(self, contract: Listing, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        """Return bins whose timestamp is their END and whose open is the close before it."""
        step_ns = _BINS[asked.query.get("binSize", "1m")] * NS_PER_MINUTE
        start, end = asked.query.get("startTime"), asked.query.get("endTime")
        found = stamps(
            from_iso(start) if start else None,
            from_iso(end) if end else None,
            now_ns,
            step_ns,
            asked.count("count", 100, 1000),
            newest=not start or asked.query.get("reverse") == "true",
        )
        rows: list[dict[str, Any]] = []
        for at in found[::-1] if asked.query.get("reverse") == "true" else found:
            every = [self.world.minute(contract, m) for m in range(at - step_ns, at, NS_PER_MINUTE)]
            base, turnover = sum(c.base for c in every), sum(c.turnover for c in every)
            rows.append(
                {
                    "timestamp": iso(at),
                    "symbol": contract.symbol,
                    "open": self.world.minute(contract, at - step_ns - 1).close,
                    "high": max(c.high for c in every),
                    "low": min(c.low for c in every),
                    "close": every[-1].close,
                    "trades": sum(c.trades for c in every),
                    "volume": whole(sum(c.quantity for c in every)),
                    "vwap": round(turnover / base, 4),
                    "lastSize": 100,
                    "turnover": round(base * 1e8),
                    "homeNotional": base,
                    "foreignNotional": turnover,
                }
            )
        return rows

    def trade(self, contract: Listing, p: Print) -> dict[str, Any]:
        """Return a row of the table `trade`."""
        base = contract.base_of(p.quantity, p.price)
        return {
            "timestamp": iso(p.ts_ns),
            "symbol": contract.symbol,
            "side": "Buy" if p.taker_side is TakerSide.BUY else "Sell",
            "size": whole(p.quantity),
            "price": p.price,
            "tickDirection": "ZeroPlusTick",
            "trdMatchID": f"00000000-006d-1000-0000-{p.number % 16**12:012x}",
            "grossValue": round(base * 1e8),
            "homeNotional": base,
            "foreignNotional": contract.quote_of(p.quantity, p.price),
            "trdType": "Regular",
        }

    def _trades(self, contract: Listing, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        found = [self.trade(contract, p) for p in recent(self.world, contract, now_ns, asked.count("count", 100, 1000))]
        return found[::-1] if asked.query.get("reverse") == "true" else found

    def _funding(self, contract: Listing, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        start, end = asked.query.get("startTime"), asked.query.get("endTime")
        limit, interval_ns = asked.count("count", 100, 500), contract.funding_hours * NS_PER_HOUR
        last = min(from_iso(end), now_ns) if end else now_ns
        paid = self.world.funding(contract, from_iso(start) if start else last - 400 * NS_PER_DAY, last + 1)
        rows = [
            {
                "timestamp": iso(at),
                "symbol": contract.symbol,
                "fundingInterval": iso(946_684_800 * NS_PER_S + interval_ns),
                "fundingRate": rate,
                "fundingRateDaily": round(rate * 24 / contract.funding_hours, 10),
            }
            for at, rate in paid
        ]
        return rows[::-1][:limit] if asked.query.get("reverse") == "true" else rows[:limit]

    def _book(self, contract: Listing, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        depth = int(asked.query.get("depth") or 25)
        book = self.world.book(contract, now_ns, depth or 1000)
        rows: list[dict[str, Any]] = []
        # Sells first, the highest price on top.
        for side, levels in (("Sell", book.asks[::-1]), ("Buy", book.bids)):
            for price, quantity in levels:
                level = {"symbol": contract.symbol, "id": 62_400_000_000 + round(price / contract.tick), "side": side}
                at = {"timestamp": iso(book.ts_ns), "transactTime": iso(book.ts_ns)}
                rows.append(level | {"size": whole(quantity), "price": price} | at)
        return rows

    def standing(self, contract: Listing, now_ns: int) -> list[dict[str, Any]]:
        """Return the liquidation orders that stand in the book."""
        rows: list[dict[str, Any]] = []
        for p in self.world.liquidations(contract, now_ns - _STAYS_NS + 1, now_ns):
            left = remaining(p) if now_ns - p.ts_ns > _SHRINKS_NS else p.quantity
            rows.append(order(contract, p) | {"leavesQty": whole(left)})
        return rows


def order_id(contract: Listing, p: Print) -> str:
    """Return the identifier of a liquidation order."""
    return f"dd9cea25-{mark_of(contract):04x}-0dab-15b5-{p.number % 16**12:012x}"


def order(contract: Listing, p: Print) -> dict[str, Any]:
    """Return a row of the table `liquidation`: the side of the order, about the bankruptcy price, no time."""
    side = "Buy" if p.taker_side is TakerSide.BUY else "Sell"
    head = {"orderID": order_id(contract, p), "symbol": contract.symbol, "side": side}
    return head | {"price": p.bankruptcy or p.price, "leavesQty": whole(p.quantity)}


def remaining(p: Print) -> float:
    """Return what is left of a liquidation order while it is worked off."""
    return p.quantity // 2


def life(contract: Listing, p: Print) -> list[tuple[int, str, dict[str, Any]]]:
    """Return what the socket tells of one liquidation order: (instant, action, row)."""
    whole_row = order(contract, p)
    key = {"orderID": whole_row["orderID"], "symbol": contract.symbol}
    events: list[tuple[int, str, dict[str, Any]]] = [(p.ts_ns, "insert", whole_row)]
    if remaining(p) > 0:
        amended = {"price": whole_row["price"]} if p.number % 3 == 0 else {}
        events.append((p.ts_ns + _SHRINKS_NS, "update", key | amended | {"leavesQty": whole(remaining(p))}))
    return [*events, (p.ts_ns + _STAYS_NS, "delete", key)]


def _wrong(words: str) -> Answer:
    return said({"error": {"message": words, "name": "HTTPError"}}, 400)


def _columns(rows: Any, wanted: str) -> Any:
    if not wanted:
        return rows
    names: list[str] = json.loads(wanted) if wanted.startswith("[") else wanted.split(",")
    keep = {"timestamp", "symbol", *names}
    return [{name: value for name, value in row.items() if name in keep} for row in rows]
