"""What OKX answers over HTTP, and the rows that its socket shares with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from liqscape.model import ContractKind, PositionSide, TakerSide
from liqscape.testing.exchange.dialect import Answer, Asked, Cost, Dialect, Refusal, said
from liqscape.testing.exchange.listing import NS_PER_MS, Listing
from liqscape.testing.exchange.world import Candle, Print, joined
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S

_BARS = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "2H": 120, "4H": 240, "1D": 1_440, "1Dutc": 1_440}
_LISTED_MS = "1611907686000"
_LIMITS = {
    "market/candles": 40.0,
    "market/books": 40.0,
    "market/books-full": 10.0,
    "public/liquidation-orders": 40.0,
    "public/funding-rate-history": 10.0,
    "public/position-tiers": 10.0,
    "public/mark-price": 10.0,
    "public/market-data-history": 5.0,
    "rubik/stat/contracts/open-interest-history": 10.0,
    "rubik/stat/contracts/long-short-account-ratio-contract": 5.0,
    "rubik/stat/contracts/long-short-account-ratio-contract-top-trader": 5.0,
    "rubik/stat/contracts/long-short-position-ratio-contract-top-trader": 5.0,
}


def ms(ts_ns: int) -> str:
    """Return whole milliseconds as text."""
    return str(ts_ns // NS_PER_MS)


class OkxRest(Dialect):
    """Answers under /api/v5."""

    def listings(self) -> list[Listing]:
        """Return BTC-USDT-SWAP and BTC-USD-SWAP for every coin."""
        found: list[Listing] = []
        for coin in self.world.coins:
            size = self.linear("okx", coin, coin, "USDT").step * 10.0
            found.append(self.linear("okx", f"{coin}-USDT-SWAP", coin, "USDT", coins_per_contract=size))
            found.append(self.inverse("okx", f"{coin}-USD-SWAP", coin, 100.0 if coin == "BTC" else 10.0))
        return found

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes: every endpoint has a limit of its own in 2 s."""
        name = asked.path.removeprefix("/api/v5/")
        return ((name, 1.0, _LIMITS.get(name, 20.0), 2.0),)

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer /api/v5/.. ."""
        answers: dict[str, Callable[[], list[Any]]] = {
            "public/time": lambda: [{"ts": ms(now_ns)}],
            "public/instruments": lambda: [self._instrument(c) for c in self._of(asked)],
            "public/open-interest": lambda: [self.interest(c, now_ns) for c in self._of(asked)],
            "public/funding-rate": lambda: [self.funding(c, now_ns) for c in self._of(asked)],
            "public/funding-rate-history": lambda: self._paid(asked, now_ns),
            "public/mark-price": lambda: [self.mark(c, now_ns) for c in self._of(asked)],
            "public/position-tiers": lambda: self._tiers(asked),
            "public/liquidation-orders": lambda: self._liquidations(asked, now_ns),
            "market/tickers": lambda: [self.day(c, now_ns) for c in self._of(asked)],
            "market/ticker": lambda: [self.day(c, now_ns) for c in self._of(asked)],
            "market/index-tickers": lambda: self._indices(asked, now_ns),
            "market/candles": lambda: self._candles(asked, now_ns, "last", 300),
            "market/history-candles": lambda: self._candles(asked, now_ns, "last", 300),
            "market/mark-price-candles": lambda: self._candles(asked, now_ns, "mark", 100),
            "market/history-mark-price-candles": lambda: self._candles(asked, now_ns, "mark", 100),
            "market/index-candles": lambda: self._candles(asked, now_ns, "index", 100),
            "market/books": lambda: self._book(asked, now_ns),
            "market/books-full": lambda: self._book(asked, now_ns),
            "market/trades": lambda: self._recent(asked, now_ns),
            "market/history-trades": lambda: self._recent(asked, now_ns),
        }
        path = asked.path.removeprefix("/api/v5/")
        if path.startswith("rubik/stat/contracts/"):
            return self._statistics(asked, path.rpartition("/")[2], now_ns)
        answer = answers.get(path)
        if answer is None:
            return self.missing(asked)
        instrument = asked.query.get("instId", "ANY")
        indices = path.startswith("market/index")
        if instrument != "ANY" and not indices and instrument not in self.contracts:
            return said({"code": "51001", "data": [], "msg": "Instrument ID, Instrument ID code, or Spread ID doesn't exist."})
        return said({"code": "0", "data": answer(), "msg": ""})

    def missing(self, asked: Asked) -> Answer:
        """Return the venue's 404."""
        return said(
            {"code": "404", "data": {}, "detailMsg": "", "error_code": "404", "error_message": "Not Found", "msg": ""}, 404
        )

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """50011 with 429; 403 of the gateway for a ban; 50001 with 503 in maintenance."""
        if refusal is Refusal.LIMITED:
            return said({"code": "50011", "data": [], "msg": "Too Many Requests"}, 429)
        if refusal is Refusal.BANNED:
            return Answer(403, b"error code: 1015")
        return said({"code": "50001", "data": [], "msg": "Service temporarily unavailable. Try again later"}, 503)

    def misunderstood(self, asked: Asked, words: str, now_ns: int) -> Answer:
        """Say 51000 in a 200."""
        return said({"code": "51000", "data": [], "msg": f"Parameter error: {words}"})

    def _of(self, asked: Asked) -> list[Listing]:
        query = asked.query
        if query.get("instType", "SWAP") != "SWAP":
            return []
        instrument, family = query.get("instId", "ANY"), query.get("instFamily") or query.get("uly")
        families = family.split(",") if family else None
        return [
            c
            for c in self.contracts.values()
            if instrument in ("ANY", c.symbol) and (families is None or c.symbol.removesuffix("-SWAP") in families)
        ]

    def _instrument(self, contract: Listing) -> dict[str, Any]:
        linear, family = contract.kind is ContractKind.LINEAR, contract.symbol.removesuffix("-SWAP")
        blank = (
            "alias",
            "auctionEndTime",
            "baseCcy",
            "contTdSwTime",
            "expTime",
            "openType",
            "optType",
            "quoteCcy",
            "stk",
            "maxMktAmt",
        )
        return {
            **dict.fromkeys(blank, ""),
            "category": "1",
            "ctMult": "1",
            "ctType": "linear" if linear else "inverse",
            "ctVal": f"{contract.contract_size:g}",
            "ctValCcy": contract.base if linear else "USD",
            "futureSettlement": False,
            "instFamily": family,
            "instId": contract.symbol,
            "instIdCode": 10459,
            "instType": "SWAP",
            "lever": "100",
            "listTime": _LISTED_MS,
            "lotSz": contract.quantity(contract.step),
            "minSz": contract.quantity(contract.step),
            "maxLmtAmt": "20000000",
            "maxLmtSz": "100000000",
            "maxMktSz": "35000",
            "maxIcebergSz": "100000000.0000000000000000",
            "maxStopSz": "35000",
            "maxTriggerSz": "100000000.0000000000000000",
            "maxTwapSz": "100000000.0000000000000000",
            "ruleType": "normal",
            "settleCcy": contract.quote if linear else contract.base,
            "state": "live",
            "strike": "",
            "tickSz": contract.price(contract.tick),
            "tradeQuoteCcyList": [],
            "uly": family,
        }

    def interest(self, contract: Listing, ts_ns: int) -> dict[str, str]:
        """Return open interest in contracts, coins and USD."""
        amount, mark = self.world.open_interest(contract, ts_ns), self.world.ticker(contract, ts_ns).mark
        return {
            "instId": contract.symbol,
            "instType": "SWAP",
            "oi": contract.quantity(amount),
            "oiCcy": f"{contract.base_of(amount, mark):.8f}",
            "oiUsd": f"{contract.quote_of(amount, mark):.4f}",
            "ts": ms(ts_ns - ts_ns % NS_PER_MINUTE),
        }

    def funding(self, contract: Listing, ts_ns: int) -> dict[str, str]:
        """Return the predicted rate and its two stamps."""
        quote = self.world.ticker(contract, ts_ns)
        interval = contract.funding_hours * NS_PER_HOUR
        return {
            "formulaType": "withRate",
            "fundingRate": f"{quote.funding_rate:.10f}",
            "fundingTime": ms(quote.next_funding_ns),
            "impactValue": "20000.0000000000000000",
            "instId": contract.symbol,
            "instType": "SWAP",
            "interestRate": "0.0001000000000000",
            "maxFundingRate": "0.00375",
            "method": "current_period",
            "minFundingRate": "-0.00375",
            "nextFundingRate": "",
            "nextFundingTime": ms(quote.next_funding_ns + interval),
            "premium": "-0.0001",
            "prevFundingTime": ms(quote.next_funding_ns - interval),
            "settFundingRate": f"{quote.funding_rate:.10f}",
            "settState": "settled",
            "ts": ms(ts_ns - ts_ns % NS_PER_S),
        }

    def mark(self, contract: Listing, ts_ns: int) -> dict[str, str]:
        """Return the mark price."""
        price = contract.price(self.world.ticker(contract, ts_ns).mark)
        return {"instId": contract.symbol, "instType": "SWAP", "markPx": price, "ts": ms(ts_ns - ts_ns % NS_PER_S)}

    def index(self, contract: Listing, ts_ns: int) -> dict[str, str]:
        """Return the index under its own name, such as BTC-USDT."""
        price = contract.price(self.world.ticker(contract, ts_ns).index)
        names = ("idxPx", "open24h", "high24h", "low24h", "sodUtc0", "sodUtc8")
        return {
            "instId": contract.symbol.removesuffix("-SWAP"),
            **dict.fromkeys(names, price),
            "ts": ms(ts_ns - ts_ns % NS_PER_S),
        }

    def day(self, contract: Listing, ts_ns: int) -> dict[str, str]:
        """Return the 24-hour ticker; volumes in contracts and in coins."""
        quote = self.world.ticker(contract, ts_ns)
        last, tick = contract.price(quote.last), contract.tick
        return {
            "instType": "SWAP",
            "instId": contract.symbol,
            "last": last,
            "lastSz": contract.quantity(contract.step),
            "askPx": contract.price(quote.last + tick),
            "askSz": contract.quantity(contract.step * 7),
            "bidPx": contract.price(quote.last - tick),
            "bidSz": contract.quantity(contract.step * 9),
            "open24h": last,
            "high24h": contract.price(quote.last * 1.03),
            "low24h": contract.price(quote.last * 0.97),
            "volCcy24h": f"{contract.base_of(quote.volume, quote.last):.4f}",
            "vol24h": contract.quantity(quote.volume),
            "sodUtc0": last,
            "sodUtc8": last,
            "ts": ms(ts_ns - ts_ns % NS_PER_S),
        }

    def _indices(self, asked: Asked, now_ns: int) -> list[dict[str, str]]:
        name, quote = asked.query.get("instId"), asked.query.get("quoteCcy")
        return [
            self.index(c, now_ns)
            for c in self.contracts.values()
            if name in (None, c.symbol.removesuffix("-SWAP")) and quote in (None, c.quote)
        ]

    def _span(
        self, asked: Asked, now_ns: int, step_ns: int, limit: int, names: tuple[str, str] = ("before", "after")
    ) -> list[int]:
        """Return the stamps between `before` and `after`, both left out, newest first."""
        newer, older = asked.instant(names[0]), asked.instant(names[1])
        last = min(now_ns, now_ns if older is None else older - 1)
        first = last - step_ns * limit if newer is None else newer + 1
        return list(range(-(-first // step_ns) * step_ns, last + 1, step_ns))[::-1][:limit]

    def _candles(self, asked: Asked, now_ns: int, price: str, most: int) -> list[list[str]]:
        minutes = _BARS[asked.query.get("bar", "1m")]
        name = asked.query["instId"]
        contract = self.contracts[name if price != "index" else f"{name}-SWAP"]
        kinds = {"last": self.world.minute, "mark": self.world.mark_minute, "index": self.world.index_minute}
        rows: list[list[str]] = []
        for start in self._span(asked, now_ns, minutes * NS_PER_MINUTE, asked.count("limit", 100, most)):
            stamps = [start + i * NS_PER_MINUTE for i in range(minutes)]
            candle = joined([kinds[price](contract, at, now_ns) for at in stamps if at <= now_ns])
            ended = now_ns >= start + minutes * NS_PER_MINUTE
            rows.append(self.candle_row(contract, candle, volume=price == "last", ended=ended))
        return rows

    def candle_row(self, contract: Listing, candle: Candle, *, volume: bool, ended: bool) -> list[str]:
        """Return ts, prices, then volume in contracts, coins and quote where there is one, and `confirm`."""
        prices = [contract.price(p) for p in (candle.open, candle.high, candle.low, candle.close)]
        volumes = [contract.quantity(candle.quantity), f"{candle.base:.8f}", f"{candle.turnover:.8f}"] if volume else []
        return [ms(candle.start_ns), *prices, *volumes, "1" if ended else "0"]

    def _paid(self, asked: Asked, now_ns: int) -> list[dict[str, str]]:
        contract = self.contracts[asked.query["instId"]]
        newer, older = asked.instant("before"), asked.instant("after")
        last = min(now_ns, now_ns if older is None else older - 1)
        first = max(now_ns - 92 * NS_PER_DAY, 0 if newer is None else newer + 1)
        rows: list[dict[str, str]] = []
        for stamp, rate in self.world.funding(contract, first, last + 1)[::-1][: asked.count("limit", 400, 400)]:
            told = {"instType": "SWAP", "instId": contract.symbol, "fundingRate": f"{rate:.10f}", "realizedRate": f"{rate:.10f}"}
            rows.append({**told, "fundingTime": ms(stamp), "formulaType": "withRate", "method": "current_period"})
        return rows

    def _statistics(self, asked: Asked, name: str, now_ns: int) -> Answer:
        contract = self.contracts.get(asked.query.get("instId", ""))
        if contract is None:
            return said({"code": "51001", "data": [], "msg": "Instrument ID doesn't exist."})
        step_ns = _BARS[asked.query.get("period", "5m")] * NS_PER_MINUTE
        stamps = self._span(asked, now_ns, step_ns, asked.count("limit", 100, 100))
        stamps = [stamp for stamp in stamps if stamp > now_ns - 1_440 * step_ns]
        rows: list[list[str]] = []
        for stamp in stamps:
            if name == "open-interest-history":
                told = self.interest(contract, stamp)
                rows.append([ms(stamp), told["oi"], told["oiCcy"], told["oiUsd"]])
            elif name.startswith("long-short-"):
                long = self.world.long_share(contract, stamp, name)
                rows.append([ms(stamp), f"{long / (1.0 - long):.16f}"])
            else:
                return self.missing(asked)
        return said({"code": "0", "data": rows, "msg": ""})

    def _book(self, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        contract = self.contracts[asked.query["instId"]]
        most = 5000 if asked.path.endswith("full") else 400
        book = self.world.book(contract, now_ns, asked.count("sz", 1, most))
        sides = [[[contract.price(p), contract.quantity(q), "0", "3"] for p, q in rows] for rows in (book.asks, book.bids)]
        return [{"asks": sides[0], "bids": sides[1], "ts": ms(book.ts_ns), "seqId": book.ts_ns // NS_PER_S}]

    def trade(self, contract: Listing, p: Print) -> dict[str, Any]:
        """Return one trade; `side` is the taker's."""
        side = "buy" if p.taker_side is TakerSide.BUY else "sell"
        told = {
            "instId": contract.symbol,
            "tradeId": str(p.number),
            "px": contract.price(p.price),
            "sz": contract.quantity(p.quantity),
        }
        return {**told, "side": side, "ts": ms(p.ts_ns), "source": "0"}

    def _recent(self, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        contract = self.contracts[asked.query["instId"]]
        prints = self.world.trades(contract, now_ns - NS_PER_HOUR, now_ns)[::-1]
        return [self.trade(contract, p) for p in prints[: asked.count("limit", 100, 500)]]

    def _tiers(self, asked: Asked) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        for contract in self._of(asked):
            family, price = contract.symbol.removesuffix("-SWAP"), self.world.price_of(contract.base)
            unit = contract.quote_of(1.0, price)
            for number, tier in enumerate(self.world.tiers(contract), start=1):
                rows.append(
                    {
                        "baseMaxLoan": "",
                        "imr": f"{tier.initial_margin_rate:g}",
                        "instFamily": family,
                        "instId": "",
                        "maxLever": f"{tier.max_leverage:.2f}",
                        "maxSz": f"{tier.cap / unit:.0f}",
                        "minSz": f"{tier.floor / unit + (1 if number > 1 else 0):.0f}",
                        "mmr": f"{tier.maintenance_margin_rate:g}",
                        "optMgnFactor": "0",
                        "quoteMaxLoan": "",
                        "tier": str(number),
                        "uly": family,
                    }
                )
        return rows

    def shown(self, contract: Listing, first_second: int, last_second: int) -> dict[int, list[dict[str, str]]]:
        """Return the details of each second in [first, last): the largest long and the largest short."""
        seconds: dict[int, dict[PositionSide, Print]] = {}
        for p in self.world.liquidations(contract, first_second * NS_PER_S, last_second * NS_PER_S):
            of_second = seconds.setdefault(p.ts_ns // NS_PER_S, {})
            if p.position_side not in of_second or of_second[p.position_side].quantity < p.quantity:
                of_second[p.position_side] = p
        return {
            second: [
                {
                    "bkLoss": "0",
                    "bkPx": contract.price(p.bankruptcy or p.price),
                    "ccy": "",
                    "posSide": side.value,
                    "side": "sell" if side is PositionSide.LONG else "buy",
                    "sz": contract.quantity(p.quantity),
                    "ts": ms(p.ts_ns),
                }
                for side, p in sides.items()
            ]
            for second, sides in seconds.items()
        }

    def liquidation_row(self, contract: Listing, details: list[dict[str, str]]) -> dict[str, Any]:
        """Return one contract of a liquidation message."""
        family = contract.symbol.removesuffix("-SWAP")
        return {"details": details, "instFamily": family, "instId": contract.symbol, "instType": "SWAP", "uly": family}

    def _liquidations(self, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        older, newer = asked.instant("after"), asked.instant("before")
        last = min(now_ns, now_ns if older is None else older) // NS_PER_S
        first = max(now_ns - NS_PER_DAY, 0 if newer is None else newer) // NS_PER_S + 1
        rows: list[dict[str, Any]] = []
        for contract in self._of(asked):
            details = [d for told in self.shown(contract, first, last).values() for d in told][::-1]
            if details:
                rows.append(self.liquidation_row(contract, details[: asked.count("limit", 100, 100)]))
        return rows
