"""What Bybit answers over HTTP, and the ticker that its socket shares with it."""

from __future__ import annotations

from typing import Any

from liqscape.model import ContractKind, TakerSide
from liqscape.testing.exchange.dialect import Answer, Asked, Cost, Dialect, Refusal, said
from liqscape.testing.exchange.listing import NS_PER_MS, Listing, text
from liqscape.testing.exchange.world import Candle, Print, World
from liqscape.units import NS_PER_DAY, NS_PER_MINUTE

_INTERVALS = {"1": 1, "3": 3, "5": 5, "15": 15, "30": 30, "60": 60, "240": 240, "D": 1_440}  # minutes
_PERIODS = {"5min": 5, "15min": 15, "30min": 30, "1h": 60, "4h": 240, "1d": 1_440}
_LAUNCHED_MS = "1585526400000"


def ms(ts_ns: int) -> int:
    """Return whole milliseconds."""
    return ts_ns // NS_PER_MS


class BybitRest(Dialect):
    """Answers under /v5/market."""

    def listings(self) -> list[Listing]:
        """Return BTCUSDT and BTCUSD for every coin."""
        linear = [self.linear("bybit", f"{coin}USDT", coin, "USDT", market="linear") for coin in self.world.coins]
        inverse = [self.inverse("bybit", f"{coin}USD", coin, 1.0, market="inverse") for coin in self.world.coins]
        return [*linear, *inverse]

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes: one of 600 in 5 s and address."""
        return (("ip", 1.0, 600.0, 5.0),)

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer /v5/market/.. ."""
        answers = {
            "/v5/market/time": lambda: {"timeSecond": str(now_ns // 10**9), "timeNano": str(now_ns)},
            "/v5/market/instruments-info": lambda: self._instruments(asked),
            "/v5/market/kline": lambda: self._klines(asked, now_ns, "last"),
            "/v5/market/mark-price-kline": lambda: self._klines(asked, now_ns, "mark"),
            "/v5/market/index-price-kline": lambda: self._klines(asked, now_ns, "index"),
            "/v5/market/open-interest": lambda: self._open_interest(asked, now_ns),
            "/v5/market/account-ratio": lambda: self._ratios(asked, now_ns),
            "/v5/market/funding/history": lambda: self._funding(asked, now_ns),
            "/v5/market/recent-trade": lambda: self._recent(asked, now_ns),
            "/v5/market/tickers": lambda: self._tickers(asked, now_ns),
            "/v5/market/orderbook": lambda: self._book(asked, now_ns),
            "/v5/market/risk-limit": lambda: self._tiers(asked),
        }
        answer = answers.get(asked.path)
        if answer is None:
            return self.missing(asked)
        category = asked.query.get("category", "linear")
        symbol = asked.query.get("symbol")
        if category not in ("linear", "inverse") and answer is not answers["/v5/market/time"]:
            # Spot and options exist on the venue; this market has none of them.
            return self._said({"category": category, "list": [], "nextPageCursor": ""}, now_ns)
        if symbol is not None and (symbol not in self.contracts or self.contracts[symbol].market != category):
            return self._said({}, now_ns, 10001, "params error: symbol invalid")
        return self._said(answer(), now_ns)

    def _said(self, result: Any, now_ns: int, code: int = 0, words: str = "OK", headers: dict[str, str] | None = None) -> Answer:
        body: dict[str, Any] = {"retCode": code, "retMsg": words, "result": result, "retExtInfo": {}, "time": ms(now_ns)}
        return said(body, headers=headers)

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """Say 10006 in a 200 if too fast, 403 with plain words for a ban, 503 in maintenance."""
        if refusal is Refusal.LIMITED:
            reset = {"x-bapi-limit-reset-timestamp": str(ms(now_ns) + int(1000 * (wait_s or 1)))}
            return self._said({}, now_ns, 10006, "Too many visits. Exceeded the API Rate Limit.", reset)
        if refusal is Refusal.BANNED:
            return Answer(403, b"403, access too frequent. Please check https://bybit-exchange.github.io/docs/v5/rate-limit")
        return Answer(503, b"<html><body>Service Temporarily Unavailable</body></html>")

    def missing(self, asked: Asked) -> Answer:
        """Return the 404 of the venue's gateway."""
        return Answer(404, b"404 page not found")

    def misunderstood(self, asked: Asked, words: str, now_ns: int) -> Answer:
        """Say 10001 in a 200."""
        return self._said({}, now_ns, 10001, f"params error: {words}")

    def _of(self, asked: Asked) -> list[Listing]:
        category, base = asked.query.get("category", "linear"), asked.query.get("baseCoin")
        symbol = asked.query.get("symbol")
        every = [self.contracts[symbol]] if symbol else list(self.contracts.values())
        return [c for c in every if c.market == category and base in (None, "", c.base)]

    def _one(self, asked: Asked) -> Listing:
        return self.contracts[asked.query["symbol"]]

    def _instruments(self, asked: Asked) -> dict[str, Any]:
        return {"category": asked.query["category"], "list": [self._instrument(c) for c in self._of(asked)], "nextPageCursor": ""}

    def _instrument(self, contract: Listing) -> dict[str, Any]:
        linear = contract.kind is ContractKind.LINEAR
        step = contract.quantity(contract.step)
        return {
            "symbol": contract.symbol,
            "contractType": "LinearPerpetual" if linear else "InversePerpetual",
            "status": "Trading",
            "baseCoin": contract.base,
            "quoteCoin": contract.quote,
            "launchTime": _LAUNCHED_MS,
            "deliveryTime": "0",
            "deliveryFeeRate": "",
            "priceScale": "2",
            "leverageFilter": {"minLeverage": "1", "maxLeverage": "125.00", "leverageStep": "0.01"},
            "priceFilter": {
                "minPrice": contract.price(contract.tick),
                "maxPrice": contract.price(contract.tick * 1e7),
                "tickSize": contract.price(contract.tick),
            },
            "lotSizeFilter": {
                "maxOrderQty": "1190000",
                "minOrderQty": step,
                "qtyStep": step,
                "postOnlyMaxOrderQty": "1190000",
                "maxMktOrderQty": "119000",
                "minNotionalValue": "5" if linear else "",
            },
            "unifiedMarginTrade": True,
            "fundingInterval": contract.funding_hours * 60,
            "settleCoin": contract.quote if linear else contract.base,
            "copyTrading": "both",
            "upperFundingRate": "0.00375",
            "lowerFundingRate": "-0.00375",
            "isPreListing": False,
            "preListingInfo": None,
            "displayName": "",
            "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
            "symbolType": "",
        }

    def _span(self, asked: Asked, now_ns: int, step_ns: int, limit: int, names: tuple[str, str]) -> list[int]:
        """Return the multiples of `step_ns` asked for, newest first: at most `limit`, the newest win."""
        start, end = asked.instant(names[0]), asked.instant(names[1])
        last = min(now_ns, now_ns if end is None else end)
        first = last - step_ns * limit if start is None else start
        stamps = list(range(-(-first // step_ns) * step_ns, last + 1, step_ns))
        return stamps[::-1][:limit]

    def _klines(self, asked: Asked, now_ns: int, price: str) -> dict[str, Any]:
        contract, interval = self._one(asked), asked.query.get("interval", "1")
        minutes = _INTERVALS[interval]
        rows: list[list[str]] = []
        for start in self._span(asked, now_ns, minutes * NS_PER_MINUTE, asked.count("limit", 200, 1000), ("start", "end")):
            row = [str(ms(start))]
            stamps = [start + i * NS_PER_MINUTE for i in range(minutes) if start + i * NS_PER_MINUTE <= now_ns]
            every = [self._candle(contract, stamp, now_ns, price) for stamp in stamps]
            row += [
                contract.price(p) for p in (every[0].open, max(c.high for c in every), min(c.low for c in every), every[-1].close)
            ]
            if price == "last":
                linear = contract.kind is ContractKind.LINEAR
                turnover = sum(c.turnover if linear else c.base for c in every)
                row += [contract.quantity(sum(c.quantity for c in every)), f"{turnover:.8f}".rstrip("0").rstrip(".")]
            rows.append(row)
        return {"symbol": contract.symbol, "category": contract.market, "list": rows}

    def _candle(self, contract: Listing, ts_ns: int, now_ns: int, price: str) -> Candle:
        world = self.world
        return {"last": world.minute, "mark": world.mark_minute, "index": world.index_minute}[price](contract, ts_ns, now_ns)

    def _open_interest(self, asked: Asked, now_ns: int) -> dict[str, Any]:
        contract, period_ns = self._one(asked), _PERIODS[asked.query["intervalTime"]] * NS_PER_MINUTE
        limit = asked.count("limit", 50, 200)
        cursor = asked.query.get("cursor")
        if cursor:
            asked = Asked(asked.host, asked.path, {**asked.query, "endTime": str(int(cursor.rpartition("=")[2]) - 1)})
        stamps = self._span(asked, now_ns, period_ns, limit, ("startTime", "endTime"))
        rows: list[dict[str, str]] = []
        for stamp in stamps:
            one_side = self.world.open_interest(contract, stamp)
            rows.append(
                {
                    "openInterest": text(2.0 * one_side, 1e-8),
                    "singleOpenInterest": contract.quantity(one_side),
                    "timestamp": str(ms(stamp)),
                }
            )
        more = f"lastid=19408935&lasttime={rows[-1]['timestamp']}" if len(rows) == limit else ""
        return {"symbol": contract.symbol, "category": contract.market, "list": rows, "nextPageCursor": more}

    def _ratios(self, asked: Asked, now_ns: int) -> dict[str, Any]:
        contract, period_ns = self._one(asked), _PERIODS[asked.query["period"]] * NS_PER_MINUTE
        stamps = self._span(asked, now_ns, period_ns, asked.count("limit", 50, 500), ("startTime", "endTime"))
        rows: list[dict[str, str]] = []
        for stamp in stamps:
            long = self.world.long_share(contract, stamp)
            rows.append(
                {
                    "symbol": contract.symbol,
                    "buyRatio": f"{long:.4f}",
                    "sellRatio": f"{1 - long:.4f}",
                    "timestamp": str(ms(stamp)),
                }
            )
        return {"list": rows, "nextPageCursor": ""}

    def _funding(self, asked: Asked, now_ns: int) -> dict[str, Any]:
        contract = self._one(asked)
        start, end = asked.instant("startTime"), asked.instant("endTime")
        last = min(now_ns, now_ns if end is None else end)
        paid = self.world.funding(contract, last - 100 * NS_PER_DAY if start is None else start, last + 1)
        rows = [
            {"symbol": contract.symbol, "fundingRate": f"{rate:.8f}", "fundingRateTimestamp": str(ms(stamp))}
            for stamp, rate in paid[::-1][: asked.count("limit", 200, 200)]
        ]
        return {"category": contract.market, "list": rows}

    def _recent(self, asked: Asked, now_ns: int) -> dict[str, Any]:
        contract = self._one(asked)
        prints = self.world.trades(contract, now_ns - 30 * NS_PER_MINUTE, now_ns)[::-1]
        rows = [
            {
                "execId": f"{p.number:032x}",
                "symbol": contract.symbol,
                "price": contract.price(p.price),
                "size": contract.quantity(p.quantity),
                "side": taker(p),
                "time": str(ms(p.ts_ns)),
                "isBlockTrade": False,
                "isRPITrade": False,
                "seq": str(p.number),
            }
            for p in prints[: asked.count("limit", 500, 1000)]
        ]
        return {"category": contract.market, "list": rows}

    def _tickers(self, asked: Asked, now_ns: int) -> dict[str, Any]:
        rows = [ticker_fields(self.world, contract, now_ns) for contract in self._of(asked)]
        return {"category": asked.query.get("category", "linear"), "list": rows}

    def _book(self, asked: Asked, now_ns: int) -> dict[str, Any]:
        contract = self._one(asked)
        book = self.world.book(contract, now_ns, asked.count("limit", 25, 1000))
        sides = [[[contract.price(p), contract.quantity(q)] for p, q in rows] for rows in (book.asks, book.bids)]
        stamp = {"ts": ms(now_ns), "u": ms(book.ts_ns) // 1000, "seq": ms(book.ts_ns), "cts": ms(book.ts_ns)}
        return {"s": contract.symbol, "a": sides[0], "b": sides[1], **stamp}

    def _tiers(self, asked: Asked) -> dict[str, Any]:
        contracts = self._of(asked)
        first = int(asked.query.get("cursor") or 0)
        rows: list[dict[str, Any]] = []
        for contract in contracts[first : first + 15]:
            # Limits of inverse contracts are in coins.
            unit = 1.0 if contract.kind is ContractKind.LINEAR else self.world.price_of(contract.base)
            for number, tier in enumerate(self.world.tiers(contract), start=1):
                rows.append(
                    {
                        "id": number,
                        "symbol": contract.symbol,
                        "riskLimitValue": f"{tier.cap / unit:.8g}",
                        "maintenanceMargin": f"{tier.maintenance_margin_rate:g}",
                        "initialMargin": f"{tier.initial_margin_rate:g}",
                        "isLowestRisk": 1 if number == 1 else 0,
                        "maxLeverage": f"{tier.max_leverage:.2f}",
                        "mmDeduction": f"{tier.deduction / unit:.8g}" if tier.deduction else "",
                    }
                )
        more = str(first + 15) if first + 15 < len(contracts) else ""
        return {"category": asked.query.get("category", "linear"), "list": rows, "nextPageCursor": more}


def taker(trade: Print) -> str:
    """Return the side of the aggressor."""
    return "Buy" if trade.taker_side is TakerSide.BUY else "Sell"


def ticker_fields(world: World, contract: Listing, ts_ns: int) -> dict[str, str]:
    """Return the ticker's fields; open interest counts both sides, and its value is in coins for inverse contracts."""
    quote = world.ticker(contract, ts_ns)
    linear = contract.kind is ContractKind.LINEAR
    one_value = quote.open_interest * quote.mark if linear else quote.open_interest / quote.mark
    tick = contract.tick
    return {
        "symbol": contract.symbol,
        "lastPrice": contract.price(quote.last),
        "indexPrice": contract.price(quote.index),
        "markPrice": contract.price(quote.mark),
        "prevPrice24h": contract.price(world.price_of(contract.base)),
        "price24hPcnt": f"{quote.last / world.price_of(contract.base) - 1:.6f}",
        "highPrice24h": contract.price(quote.last * 1.03),
        "lowPrice24h": contract.price(quote.last * 0.97),
        "prevPrice1h": contract.price(quote.last),
        "openInterest": contract.quantity(2.0 * quote.open_interest),
        "openInterestValue": f"{2.0 * one_value:.2f}",
        "singleOpenInterest": contract.quantity(quote.open_interest),
        "singleOpenInterestValue": f"{one_value:.2f}",
        "turnover24h": f"{quote.turnover if linear else quote.turnover / quote.last:.4f}",
        "volume24h": contract.quantity(quote.volume),
        "fundingRate": f"{quote.funding_rate:.8f}",
        "nextFundingTime": str(ms(quote.next_funding_ns)),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "ask1Size": contract.quantity(contract.step * 7),
        "bid1Price": contract.price(quote.last - tick),
        "ask1Price": contract.price(quote.last + tick),
        "bid1Size": contract.quantity(contract.step * 9),
        "basis": "",
        "fundingIntervalHour": str(contract.funding_hours),
        "fundingCap": "0.00375",
    }
