"""What both Binance futures venues answer over HTTP; they differ in prefix, in units and in what a pair is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from liqscape.model import TakerSide
from liqscape.testing.exchange.dialect import Answer, Asked, Cost, Dialect, Refusal, said
from liqscape.testing.exchange.listing import NS_PER_MS, Listing
from liqscape.testing.exchange.world import Candle, joined
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S

_MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "12h": 720, "1d": 1_440}
_ONBOARD_MS = 1569398400000
_FAR_MS = 4133404800000


def ms(ts_ns: int) -> int:
    """Return whole milliseconds."""
    return ts_ns // NS_PER_MS


class _Wrong(Exception):
    """A request that the venue refuses: code and words."""


class BinanceRest(Dialect):
    """Answers under `prefix` and under /futures/data."""

    prefix: str
    coin_margined: bool

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes: statistics and funding have limits of their own, the rest weighs by what it answers."""
        name = asked.path.rpartition("/")[2]
        if asked.host == "www.binance.com":
            return ()
        if asked.path.startswith("/futures/data/"):
            return (("data", 1.0, 1000.0, 300.0),)
        if name in ("fundingRate", "fundingInfo"):
            return (("funding", 1.0, 500.0, 300.0),)
        limit = int(asked.query.get("limit") or 500)
        weight = 1.0
        if name.lower().endswith("klines"):
            weight = 1.0 if limit < 100 else 2.0 if limit < 500 else 5.0 if limit <= 1000 else 10.0
        elif name == "depth":
            weight = 2.0 if limit <= 50 else 5.0 if limit <= 100 else 10.0 if limit <= 500 else 20.0
        elif name in ("aggTrades", "trades"):
            weight = 20.0 if name == "aggTrades" else 5.0
        elif name == "premiumIndex" and "symbol" not in asked.query:
            weight = 10.0
        return (("weight", weight, 2400.0, 60.0),)

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer a request."""
        try:
            result = self._result(asked, now_ns)
        except _Wrong as wrong:
            code, words = wrong.args
            return said({"code": code, "msg": words}, 400)
        if result is None:
            return self.missing(asked)
        return said(result, headers={"x-mbx-used-weight-1m": "12"})

    def missing(self, asked: Asked) -> Answer:
        """Return the gateway's 404."""
        return Answer(404, b"<html><head><title>404 Not Found</title></head></html>")

    def misunderstood(self, asked: Asked, words: str, now_ns: int) -> Answer:
        """Say -1100 with 400."""
        return said({"code": -1100, "msg": f"Illegal characters found in a parameter: {words}"}, 400)

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """429 with code -1003, then 418 with the end of the ban, 503 in maintenance."""
        headers = {} if wait_s is None else {"retry-after": f"{wait_s:g}"}
        if refusal is Refusal.LIMITED:
            words = "Too many requests; current limit of IP is 2400 requests per minute."
            return said({"code": -1003, "msg": words}, 429, headers)
        if refusal is Refusal.BANNED:
            until = ms(now_ns + int((wait_s or 120.0) * NS_PER_S))
            return said({"code": -1003, "msg": f"Way too many requests; IP banned until {until}."}, 418, headers)
        return said({"code": 0, "msg": "Unknown error, please check your request or try again later."}, 503, headers)

    def _result(self, asked: Asked, now_ns: int) -> Any:
        path = asked.path
        if asked.host == "www.binance.com":
            product = "delivery" if self.coin_margined else "future"
            return self._brackets(now_ns) if path == f"/bapi/futures/v1/friendly/{product}/common/brackets" else None
        if path.startswith("/futures/data/"):
            return self._statistics(asked, path.rpartition("/")[2], now_ns)
        if not path.startswith(self.prefix + "/"):
            return None
        answers: dict[str, Callable[[], Any]] = {
            "ping": dict,
            "time": lambda: {"serverTime": ms(now_ns)},
            "exchangeInfo": lambda: self._info(now_ns),
            "klines": lambda: self._klines(asked, now_ns, "last"),
            "markPriceKlines": lambda: self._klines(asked, now_ns, "mark"),
            "indexPriceKlines": lambda: self._klines(asked, now_ns, "index"),
            "premiumIndex": lambda: self._premium(asked, now_ns),
            "fundingRate": lambda: self._funding(asked, now_ns),
            "fundingInfo": lambda: self._funding_info(),
            "openInterest": lambda: self._open_interest(asked, now_ns),
            "depth": lambda: self._depth(asked, now_ns),
            "aggTrades": lambda: self._trades(asked, now_ns),
            "trades": lambda: self._trades(asked, now_ns),
            "ticker/24hr": lambda: self._day(asked, now_ns),
        }
        answer = answers.get(path[len(self.prefix) + 1 :])
        return None if answer is None else answer()

    def _one(self, asked: Asked) -> Listing:
        if asked.query.get("pair") and not asked.query.get("symbol"):
            symbol = asked.query["pair"] + ("_PERP" if self.coin_margined else "")
        else:
            symbol = asked.query.get("symbol", "")
        if not symbol:
            raise _Wrong(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        if symbol not in self.contracts:
            raise _Wrong(-1121, "Invalid symbol.")
        return self.contracts[symbol]

    def _span(self, asked: Asked, now_ns: int, step_ns: int, limit: int) -> list[int]:
        """Return the stamps asked for, oldest first: the first `limit` from a start, else the last up to the end."""
        start, end = asked.instant("startTime"), asked.instant("endTime")
        last = min(now_ns, now_ns if end is None else end)
        if start is None:
            newest = last // step_ns * step_ns
            return list(range(newest - (limit - 1) * step_ns, newest + 1, step_ns))
        if start > last and end is not None and start > end:
            raise _Wrong(-1023, "Start time is greater than end time.")
        return list(range(-(-start // step_ns) * step_ns, last + 1, step_ns))[:limit]

    def _klines(self, asked: Asked, now_ns: int, price: str) -> list[list[Any]]:
        contract = self._one(asked)
        step_ns = _MINUTES[asked.query["interval"]] * NS_PER_MINUTE
        kinds = {"last": self.world.minute, "mark": self.world.mark_minute, "index": self.world.index_minute}
        rows: list[list[Any]] = []
        for start in self._span(asked, now_ns, step_ns, asked.count("limit", 500, 1500)):
            minutes = [kinds[price](contract, at, now_ns) for at in range(start, start + step_ns, NS_PER_MINUTE) if at <= now_ns]
            rows.append(self.kline_row(contract, joined(minutes), step_ns))
        return rows

    def kline_row(self, contract: Listing, candle: Candle, step_ns: int) -> list[Any]:
        """Return the twelve fields: quantity is contracts and value coins if coin-margined, else coins and quote."""
        prices = [contract.price(p) for p in (candle.open, candle.high, candle.low, candle.close)]
        worth, bought = (
            (candle.base, candle.taker_buy_base) if self.coin_margined else (candle.turnover, candle.taker_buy_turnover)
        )
        return [
            ms(candle.start_ns),
            *prices,
            contract.quantity(candle.quantity),
            ms(candle.start_ns + step_ns) - 1,
            f"{worth:.8f}",
            candle.trades,
            contract.quantity(candle.taker_buy),
            f"{bought:.8f}",
            "0",
        ]

    def _premium(self, asked: Asked, now_ns: int) -> Any:
        alone = asked.query.get("symbol") or asked.query.get("pair")
        contracts = [self._one(asked)] if alone else list(self.contracts.values())
        rows: list[dict[str, Any]] = []
        for contract in contracts:
            quote = self.world.ticker(contract, now_ns)
            row: dict[str, Any] = {
                "symbol": contract.symbol,
                "markPrice": f"{quote.mark:.8f}",
                "indexPrice": f"{quote.index:.8f}",
                "estimatedSettlePrice": f"{quote.index:.8f}",
                "lastFundingRate": f"{quote.funding_rate:.8f}",
                "interestRate": "0.00010000",
                "nextFundingTime": ms(quote.next_funding_ns),
                "time": ms(now_ns - now_ns % NS_PER_S),
            }
            rows.append({**row, "pair": contract.symbol.partition("_")[0]} if self.coin_margined else row)
        return rows[0] if alone and not self.coin_margined else rows

    def _funding(self, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        contract, limit = self._one(asked), asked.count("limit", 100, 1000)
        start, end = asked.instant("startTime"), asked.instant("endTime")
        last = min(now_ns, now_ns if end is None else end)
        paid = self.world.funding(contract, last - 400 * NS_PER_DAY if start is None else start, last + 1)
        paid = paid[-limit:] if start is None else paid[:limit]
        rows: list[dict[str, Any]] = []
        for stamp, rate in paid:
            row: dict[str, Any] = {"symbol": contract.symbol, "fundingTime": ms(stamp), "fundingRate": f"{rate:.8f}"}
            if not self.coin_margined:
                row |= {"markPrice": f"{self.world.ticker(contract, stamp).mark:.8f}", "rateType": "Regular"}
            rows.append(row)
        return rows

    def _funding_info(self) -> list[dict[str, Any]]:
        # Only symbols whose interval or cap was adjusted are listed: here none is.
        return []

    def _open_interest(self, asked: Asked, now_ns: int) -> dict[str, Any]:
        contract = self._one(asked)
        row: dict[str, Any] = {
            "symbol": contract.symbol,
            "openInterest": contract.quantity(self.world.open_interest(contract, now_ns)),
            "time": ms(now_ns - now_ns % NS_PER_MINUTE),
        }
        if self.coin_margined:
            row |= {"pair": contract.symbol.partition("_")[0], "contractType": "PERPETUAL"}
        return row

    def _statistics(self, asked: Asked, name: str, now_ns: int) -> Any:
        if name not in (
            "openInterestHist",
            "globalLongShortAccountRatio",
            "topLongShortAccountRatio",
            "topLongShortPositionRatio",
        ):
            return None
        contract = self._one(asked)
        start = asked.instant("startTime")
        if start is not None and start < now_ns - 30 * NS_PER_DAY - NS_PER_HOUR:
            raise _Wrong(-1130, "parameter 'startTime' is invalid.")
        step_ns = _MINUTES[asked.query["period"]] * NS_PER_MINUTE
        stamps = self._span(asked, now_ns, step_ns, asked.count("limit", 30, 500))
        named = {"pair": contract.symbol.partition("_")[0]} if self.coin_margined else {"symbol": contract.symbol}
        rows: list[dict[str, Any]] = []
        for stamp in stamps:
            if name == "openInterestHist":
                told = self._interest_then(contract, stamp)
            else:
                long = self.world.long_share(contract, stamp, name)
                unit = "Position" if self.coin_margined and name == "topLongShortPositionRatio" else "Account"
                told = {
                    "longShortRatio": f"{long / (1 - long):.4f}",
                    f"long{unit}": f"{long:.4f}",
                    f"short{unit}": f"{1 - long:.4f}",
                }
            rows.append({**named, **told, "timestamp": ms(stamp)})
        return rows

    def _interest_then(self, contract: Listing, stamp: int) -> dict[str, Any]:
        amount = self.world.open_interest(contract, stamp)
        mark = self.world.ticker(contract, stamp).mark
        if self.coin_margined:
            value = amount * contract.contract_size / mark
            return {
                "contractType": "PERPETUAL",
                "sumOpenInterest": contract.quantity(amount),
                "sumOpenInterestValue": f"{value:.8f}",
            }
        told = {"sumOpenInterest": f"{amount:.8f}", "sumOpenInterestValue": f"{amount * mark:.8f}"}
        return {**told, "CMCCirculatingSupply": "19883993.12000000"}

    def _depth(self, asked: Asked, now_ns: int) -> dict[str, Any]:
        contract = self._one(asked)
        limit = asked.count("limit", 500, 1000)
        if limit not in (5, 10, 20, 50, 100, 500, 1000):
            raise _Wrong(-4021, f"'{limit}' is not valid depth limit.")
        book = self.world.book(contract, now_ns, limit)
        sides = [[[contract.price(p), contract.quantity(q)] for p, q in rows] for rows in (book.bids, book.asks)]
        named = {"symbol": contract.symbol, "pair": contract.symbol.partition("_")[0]} if self.coin_margined else {}
        stamps = {"lastUpdateId": ms(book.ts_ns), **named, "E": ms(now_ns), "T": ms(book.ts_ns)}
        return {**stamps, "bids": sides[0], "asks": sides[1]}

    def _trades(self, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        contract, limit = self._one(asked), asked.count("limit", 500, 1000)
        start, end = asked.instant("startTime"), asked.instant("endTime")
        if start is not None and end is not None and end - start > NS_PER_HOUR:
            raise _Wrong(-4168, "Time range is longer than one hour.")
        last = min(now_ns, now_ns if end is None else end + NS_PER_MS)
        prints = self.world.trades(contract, last - NS_PER_HOUR if start is None else start, last)
        prints = prints[-limit:] if start is None else prints[:limit]
        rows: list[dict[str, Any]] = []
        for p in prints:
            price, quantity, sold = contract.price(p.price), contract.quantity(p.quantity), p.taker_side is TakerSide.SELL
            if asked.path.endswith("aggTrades"):
                numbers = {"a": p.number, "f": p.number, "l": p.number}
                rows.append({**numbers, "p": price, "q": quantity, "nq": quantity, "T": ms(p.ts_ns), "m": sold})
                continue
            worth = contract.base_of(p.quantity, p.price) if self.coin_margined else contract.quote_of(p.quantity, p.price)
            name = "baseQty" if self.coin_margined else "quoteQty"
            told = {"id": p.number, "price": price, "qty": quantity, name: f"{worth:.8f}"}
            rows.append({**told, "time": ms(p.ts_ns), "isBuyerMaker": sold, "isRPITrade": False})
        return rows

    def day_letters(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        """Return the fields of a 24-hour ticker under the one-letter names of the socket."""
        quote, usual = self.world.ticker(contract, now_ns), self.world.price_of(contract.base)
        coins = contract.base_of(quote.volume, quote.last)
        return {
            "p": contract.price(quote.last - usual),
            "P": f"{100 * (quote.last / usual - 1):.3f}",
            "w": contract.price(quote.last),
            "c": contract.price(quote.last),
            "Q": contract.quantity(contract.step),
            "o": contract.price(usual),
            "h": contract.price(quote.last * 1.03),
            "l": contract.price(quote.last * 0.97),
            "v": contract.quantity(quote.volume),
            "q": f"{coins if self.coin_margined else quote.turnover:.8f}",
            "O": ms(now_ns - NS_PER_DAY),
            "C": ms(now_ns),
            "F": 1,
            "L": 100,
            "n": 100,
        }

    def _day(self, asked: Asked, now_ns: int) -> Any:
        long_names = {
            "p": "priceChange",
            "P": "priceChangePercent",
            "w": "weightedAvgPrice",
            "c": "lastPrice",
            "Q": "lastQty",
            "o": "openPrice",
            "h": "highPrice",
            "l": "lowPrice",
            "v": "volume",
            "q": "baseVolume" if self.coin_margined else "quoteVolume",
            "O": "openTime",
            "C": "closeTime",
            "F": "firstId",
            "L": "lastId",
            "n": "count",
        }
        alone = asked.query.get("symbol") or asked.query.get("pair")
        contracts = [self._one(asked)] if alone else list(self.contracts.values())
        rows: list[dict[str, Any]] = []
        for contract in contracts:
            pair = {"pair": contract.symbol.partition("_")[0]} if self.coin_margined else {}
            told = {long_names[name]: value for name, value in self.day_letters(contract, now_ns).items()}
            rows.append({"symbol": contract.symbol, **pair, **told})
        return rows[0] if alone and not self.coin_margined else rows

    def _info(self, now_ns: int) -> dict[str, Any]:
        limits = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400}]
        told: dict[str, Any] = {"timezone": "UTC", "serverTime": ms(now_ns), "rateLimits": limits, "exchangeFilters": []}
        if not self.coin_margined:
            told |= {"futuresType": "U_MARGINED"}
            told["assets"] = [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}]
        return {**told, "symbols": [self._symbol(c) for c in self.contracts.values()]}

    def _symbol(self, contract: Listing) -> dict[str, Any]:
        tick, step = contract.price(contract.tick), contract.quantity(contract.step)
        filters: list[dict[str, Any]] = [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": contract.price(contract.tick * 1e7), "tickSize": tick},
            {"filterType": "LOT_SIZE", "stepSize": step, "minQty": step, "maxQty": "1000000"},
            {"filterType": "MARKET_LOT_SIZE", "stepSize": step, "minQty": step, "maxQty": "100000"},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500", "multiplierDecimal": "4"},
        ]
        status = (
            {"contractStatus": "TRADING", "contractSize": int(contract.contract_size)}
            if self.coin_margined
            else {"status": "TRADING"}
        )
        margin = contract.base if self.coin_margined else contract.quote
        return {
            "symbol": contract.symbol,
            "pair": contract.symbol.partition("_")[0],
            "contractType": "PERPETUAL",
            "deliveryDate": _FAR_MS,
            "onboardDate": _ONBOARD_MS,
            **status,
            "maintMarginPercent": "2.5000",
            "requiredMarginPercent": "5.0000",
            "baseAsset": contract.base,
            "quoteAsset": contract.quote,
            "marginAsset": margin,
            "pricePrecision": 2,
            "quantityPrecision": 3,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "underlyingSubType": ["PoW"],
            "triggerProtect": "0.0500",
            "liquidationFee": "0.012500",
            "marketTakeBound": "0.05",
            "maxMoveOrderLimit": 10000,
            "filters": filters,
            "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"],
            "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        }

    def _brackets(self, now_ns: int) -> dict[str, Any]:
        symbols: list[dict[str, Any]] = []
        for contract in self.contracts.values():
            unit = self.world.price_of(contract.base) if self.coin_margined else 1.0  # floors of COIN-M are in coins
            rows = [
                {
                    "bracketSeq": number,
                    "bracketNotionalFloor": tier.floor / unit,
                    "bracketNotionalCap": tier.cap / unit,
                    "bracketMaintenanceMarginRate": tier.maintenance_margin_rate,
                    "cumFastMaintenanceAmount": tier.deduction / unit,
                    "maxOpenPosLeverage": int(tier.max_leverage),
                    "minOpenPosLeverage": 1,
                }
                for number, tier in enumerate(self.world.tiers(contract), start=1)
            ]
            symbols.append(
                {"symbol": contract.symbol, "updateTime": ms(now_ns), "notionalLimit": 500_000_000, "riskBrackets": rows}
            )
        data = {"version": f"{ms(now_ns)}_1", "brackets": symbols}
        return {"code": "000000", "message": None, "messageDetail": None, "data": data, "success": True}
