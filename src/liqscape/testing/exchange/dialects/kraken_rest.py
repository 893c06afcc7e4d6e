"""What Kraken Futures answers over HTTP: derivatives, charts and history."""

from __future__ import annotations

from typing import Any

from liqscape.model import ContractKind, TakerSide
from liqscape.testing.exchange.dialect import Answer, Asked, Cost, Dialect, Refusal, said
from liqscape.testing.exchange.dialects.common import Reader, from_iso, iso, mark_of, minutes, ms, number, second_of, stamps
from liqscape.testing.exchange.listing import Listing, decimals, usual_tick
from liqscape.testing.exchange.world import Print
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE

_API, _CHARTS, _HISTORY = "/derivatives/api/v3/", "/api/charts/v1/", "/api/history/v2/market/"
_RESOLUTIONS = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "12h": 720, "1d": 1_440}
_STEPS = {"BTC": 0.0001, "ETH": 0.001, "SOL": 0.01}
_CANDLES, _EXECUTIONS = 2000, 1000


def venue_coin(base: str) -> str:
    """Return the venue's name of a coin in symbols: XBT is Bitcoin."""
    return "XBT" if base == "BTC" else base


class KrakenRest(Dialect):
    """Answers of futures.kraken.com."""

    def listings(self) -> list[Listing]:
        """Return PF_XBTUSD for every coin (coins), and PI_XBTUSD and PI_ETHUSD (one dollar a contract)."""
        found: list[Listing] = []
        for coin in self.world.coins:
            tick, name = usual_tick(self.world.price_of(coin)), venue_coin(coin)
            step = _STEPS.get(coin, 1.0)
            found.append(Listing("kraken", f"PF_{name}USD", coin, "USD", ContractKind.LINEAR, 1.0, step, tick, 1, "flexible"))
            if coin in ("BTC", "ETH"):
                found.append(Listing("kraken", f"PI_{name}USD", coin, "USD", ContractKind.INVERSE, 1.0, 1.0, tick, 1, "inverse"))
        return found

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes: 500 of derivatives in 10 s, 100 of history in 10 minutes; charts are not counted."""
        if asked.path.startswith("/api/history/"):
            return (("history", 1.0, 100.0, 600.0),)
        return (("derivatives", 1.0, 500.0, 10.0),) if asked.path.startswith("/derivatives/") else ()

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer by the first part of the path."""
        if asked.path.startswith(_CHARTS):
            return self._chart(asked, now_ns)
        if asked.path.startswith(_HISTORY):
            return self._executions(asked, now_ns)
        answers: dict[str, Reader] = {
            "instruments": lambda _: {"instruments": self._instruments()},
            "tickers": lambda _: {"tickers": [self._ticker(c, now_ns) for c in self.contracts.values()] + self._indexes(now_ns)},
            "orderbook": lambda c: {"orderBook": self._book(c, now_ns)},
            "history": lambda c: {"history": self._trades(c, asked, now_ns)},
            "historical-funding-rates": lambda c: {"rates": self._funding(c, now_ns)},
        }
        # Funding answers under another name in the fourth version.
        path = asked.path.replace("/api/v4/historicalfundingrates", "/api/v3/historical-funding-rates")
        name = path.removeprefix(_API)
        if name.startswith("tickers/"):
            asked, name = Asked(asked.host, asked.path, {"symbol": name.partition("/")[2]}), "ticker"
            answers = {"ticker": lambda c: {"ticker": self._ticker(c, now_ns)}}
        if not path.startswith(_API) or name not in answers:
            return self.missing(asked)
        contract = self.contracts.get(asked.query.get("symbol", "").upper())
        if contract is None and name not in ("instruments", "tickers"):
            return said(_error("Invalid symbol" if "symbol" in asked.query else "requiredArgumentMissing", now_ns), 400)
        return said({"result": "success"} | answers[name](contract) | {"serverTime": iso(now_ns)})

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """Say apiLimitExceeded in a 200 if too fast, 403 for a ban, 503 in maintenance."""
        if refusal is Refusal.LIMITED:
            return said(_error("apiLimitExceeded", now_ns))
        if refusal is Refusal.BANNED:
            return Answer(403, b"<html><head><title>Access denied</title></head></html>")
        return said(_error("Unavailable", now_ns), 503)

    def missing(self, asked: Asked) -> Answer:
        """Return the 404 of the venue."""
        return said({"result": "error", "error": "Not Found", "errors": [{"code": 404, "message": "Not Found"}]}, 404)

    def _instruments(self) -> list[dict[str, Any]]:
        """Return the swaps with what stands beside them: a dated future and a spot index."""
        rows = [self._instrument(c) for c in self.contracts.values()]
        dated = {"symbol": "FF_XBTUSD_261225", "lastTradingTime": "2026-12-25T15:00:00.000Z"}
        index = {"symbol": "in_xbtusd", "type": "spot index", "tradeable": False}
        return [*rows, rows[0] | dated, index]

    def _instrument(self, contract: Listing) -> dict[str, Any]:
        flexible = contract.market == "flexible"
        levels: list[dict[str, Any]] = []
        for tier in self.world.tiers(contract):
            floor = {"numNonContractUnits": tier.floor} if flexible else {"contracts": int(tier.floor)}
            rates = {"initialMargin": tier.initial_margin_rate, "maintenanceMargin": tier.maintenance_margin_rate}
            levels.append(floor | rates)
        named = {} if flexible else {"underlying": f"rr_{venue_coin(contract.base).lower()}usd"}
        return named | {
            "symbol": contract.symbol,
            "type": "flexible_futures" if flexible else "futures_inverse",
            "tickSize": contract.tick,
            "contractSize": 1,
            "tradeable": True,
            "impactMidSize": 1.0 if flexible else 1000.0,
            "maxPositionSize": 1_000_000.0,
            "openingDate": "2022-03-22T13:18:45Z",
            "marginLevels": levels,
            "retailMarginLevels": [levels[0] | {"initialMargin": 0.5, "maintenanceMargin": 0.25}],
            "fundingRateCoefficient": 24,
            "maxRelativeFundingRate": 0.0025,
            "isin": "GB00J62YGL67",
            "contractValueTradePrecision": decimals(contract.step),
            "postOnly": False,
            "feeScheduleUid": "a6cbc326-9477-4a6c-911a-d4cb3ed7481e",
            "mtf": not flexible,
            "base": contract.base,
            "quote": "USD",
            "pair": f"{contract.base}:USD",
            "category": "Layer 1",
            "tags": [],
        }

    def absolute_rate(self, contract: Listing, rate: float, index: float) -> float:
        """Return a funding rate as the venue's main field tells it: money per contract and hour, in dollars or in coins."""
        return rate * index if contract.market == "flexible" else rate / index

    def _ticker(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        quote = self.world.ticker(contract, now_ns)
        return {
            "symbol": contract.symbol,
            "last": quote.last,
            "lastTime": iso(now_ns),
            "lastSize": contract.step * 3,
            "tag": "perpetual",
            "pair": f"{contract.base}:USD",
            "markPrice": quote.mark,
            "bid": quote.last - contract.tick,
            "bidSize": contract.step * 9,
            "ask": quote.last + contract.tick,
            "askSize": contract.step * 7,
            "vol24h": quote.volume,
            "volumeQuote": quote.turnover,
            "openInterest": quote.open_interest,
            "open24h": quote.last,
            "high24h": quote.last,
            "low24h": quote.last,
            "fundingRate": self.absolute_rate(contract, quote.funding_rate, quote.index),
            "fundingRatePrediction": self.absolute_rate(contract, quote.funding_rate * 1.1, quote.index),
            "suspended": False,
            "indexPrice": quote.index,
            "postOnly": False,
            "change24h": 1.57,
        }

    def _indexes(self, now_ns: int) -> list[dict[str, Any]]:
        return [{"symbol": "in_xbtusd", "last": self.world.price_of("BTC"), "lastTime": iso(now_ns)}]

    def _book(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        book = self.world.book(contract, now_ns, 500)
        return {"bids": [[p, q] for p, q in book.bids], "asks": [[p, q] for p, q in book.asks]}

    def _trades(self, contract: Listing, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        """Return the last hundred trades before `lastTime`, newest first."""
        until = asked.query.get("lastTime")
        last = min(from_iso(until) if until else now_ns, now_ns)
        found: list[Print] = []
        start = last
        while len(found) < 100 and start > last - NS_PER_DAY:
            start -= 10 * NS_PER_MINUTE
            found = self.world.trades(contract, start, last)
        rows: list[dict[str, Any]] = []
        for p in found[-100:][::-1]:
            kind = "fill" if p.bankruptcy is None else "liquidation"
            row = {"time": iso(p.ts_ns), "trade_id": p.number, "price": p.price, "size": p.quantity}
            rows.append(row | {"side": side(p), "type": kind, "uid": uid(contract, p)})
        return rows

    def _funding(self, contract: Listing, now_ns: int) -> list[dict[str, Any]]:
        """Return hourly rates of a month, as money and as a fraction, oldest first."""
        rows: list[dict[str, Any]] = []
        for at, rate in self.world.funding(contract, now_ns - 30 * NS_PER_DAY, now_ns + 1):
            index = self.world.ticker(contract, at).index
            absolute = self.absolute_rate(contract, rate, index)
            rows.append({"timestamp": iso(at), "fundingRate": absolute, "relativeFundingRate": rate})
        return rows

    def _chart(self, asked: Asked, now_ns: int) -> Answer:
        kind, _, rest = asked.path.removeprefix(_CHARTS).partition("/")
        symbol, _, resolution = rest.partition("/")
        contract = self.contracts.get(symbol)
        if kind not in ("trade", "mark", "spot") or contract is None or resolution not in _RESOLUTIONS:
            return said({"errors": [{"code": 400, "message": "Invalid arguments"}], "status": "BAD_REQUEST"}, 400)
        step_ns = _RESOLUTIONS[resolution] * NS_PER_MINUTE
        start, end = second_of(asked, "from"), second_of(asked, "to")
        found = stamps(start, end, now_ns, step_ns, _CANDLES + 1, newest=start is None)
        price = {"trade": "last", "mark": "mark", "spot": "index"}[kind]
        rows: list[dict[str, Any]] = []
        for at in found[:_CANDLES]:
            every = minutes(self.world, contract, range(at, at + step_ns, NS_PER_MINUTE), price)
            edges = {"open": contract.price(every[0].open), "close": contract.price(every[-1].close)}
            edges |= {"high": contract.price(max(c.high for c in every)), "low": contract.price(min(c.low for c in every))}
            rows.append({"time": ms(at)} | edges | {"volume": number(sum(c.quantity for c in every))})
        return said({"candles": rows, "more_candles": len(found) > _CANDLES})

    def _executions(self, asked: Asked, now_ns: int) -> Answer:
        symbol, _, what = asked.path.removeprefix(_HISTORY).partition("/")
        contract = self.contracts.get(symbol)
        if contract is None or what != "executions":
            return self.missing(asked)
        start, end = asked.instant("since"), asked.instant("before")
        last = min(now_ns if end is None else end, now_ns)
        found = self.world.trades(contract, last - NS_PER_HOUR if start is None else start, last)
        if asked.query.get("sort", "desc") != "asc":
            found = found[::-1]
        token = asked.query.get("continuation_token") or asked.query.get("continuationToken") or "0"
        first, count = int(token), asked.count("count", _EXECUTIONS, _EXECUTIONS)
        rows = [self._execution(contract, p) for p in found[first : first + count]]
        more = {"continuationToken": str(first + count)} if first + count < len(found) else {}
        return said({"elements": rows, "len": len(rows)} | more)

    def _execution(self, contract: Listing, p: Print) -> dict[str, Any]:
        at, quantity = ms(p.ts_ns), contract.quantity(p.quantity)
        same = {
            "tradeable": contract.symbol,
            "quantity": quantity,
            "timestamp": at,
            "reduceOnly": False,
            "lastUpdateTimestamp": at,
        }
        buys = p.taker_side is TakerSide.BUY
        kind = "Market" if p.bankruptcy is None else "Liquidation"
        taker = {"uid": f"t{p.number}", "direction": "Buy" if buys else "Sell", "orderType": kind}
        maker = {"uid": f"m{p.number}", "direction": "Sell" if buys else "Buy", "orderType": "Post"}
        execution = {
            "uid": uid(contract, p),
            "makerOrder": same | maker | {"limitPrice": contract.price(p.price)},
            "takerOrder": same | taker | {"limitPrice": contract.price(p.bankruptcy or p.price)},
            "timestamp": at,
            "quantity": quantity,
            "price": contract.price(p.price),
            "markPrice": str(self.world.ticker(contract, p.ts_ns).mark),
            "limitFilled": False,
            "usdValue": f"{contract.quote_of(p.quantity, p.price):.2f}",
        }
        event = {"Execution": {"execution": execution, "takerReducedQuantity": ""}}
        return {"uid": f"e{p.number}", "timestamp": at, "event": event}


def side(p: Print) -> str:
    """Return the taker's side in the venue's words."""
    return "buy" if p.taker_side is TakerSide.BUY else "sell"


def uid(contract: Listing, p: Print) -> str:
    """Return the identifier of a trade."""
    return f"05af78ac-{mark_of(contract):04x}-478c-a50c-{p.number % 16**12:012x}"


def _error(words: str, now_ns: int) -> dict[str, Any]:
    return {"result": "error", "error": words, "serverTime": iso(now_ns)}
