"""What Deribit answers to its public methods, over HTTP as well as over a socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from liqscape.model import ContractKind, TakerSide
from liqscape.testing.exchange.dialect import Answer, Asked, Cost, Dialect, Refusal, said
from liqscape.testing.exchange.dialects.common import Reader, ms, recent, stamps, whole
from liqscape.testing.exchange.listing import NS_PER_MS, Listing, usual_tick
from liqscape.testing.exchange.world import Print
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

_STEPS = {"BTC": 10.0}  # dollars, least amount of the inverse contracts; 1 elsewhere
_LINEAR_STEPS = {"BTC": 0.0001, "ETH": 0.001, "SOL": 0.1}
_RESOLUTIONS = {"1": 1, "3": 3, "5": 5, "10": 10, "15": 15, "30": 30, "60": 60, "120": 120, "180": 180, "360": 360, "720": 720}
_DEPTHS = (1, 5, 10, 20, 50, 100, 1000, 10000)
_DAY_NS = 24 * NS_PER_HOUR
NEVER_MS = 32_503_708_800_000

Failure = tuple[int, str, dict[str, Any]]


class DeribitRest(Dialect):
    """Methods under public/."""

    def listings(self) -> list[Listing]:
        """Return BTC-PERPETUAL and ETH-PERPETUAL, amounts in dollars, and BTC_USDC-PERPETUAL for every coin, amounts in coins."""
        found: list[Listing] = []
        for coin in self.world.coins:
            tick = usual_tick(self.world.price_of(coin))
            if coin in ("BTC", "ETH"):
                name, step = f"{coin}-PERPETUAL", _STEPS.get(coin, 1.0)
                found.append(Listing("deribit", name, coin, "USD", ContractKind.INVERSE, 1.0, step, tick, 1, "inverse"))
            name, step = f"{coin}_USDC-PERPETUAL", _LINEAR_STEPS.get(coin, 1.0)
            found.append(Listing("deribit", name, coin, "USDC", ContractKind.LINEAR, 1.0, step, tick, 1, "linear"))
        return found

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes: 500 of 50,000 credits, of which 10,000 come back each second."""
        if asked.path.endswith("get_instruments"):
            return (("instruments", 10_000.0, 500_000.0, 50.0),)
        return (("credits", 500.0, 50_000.0, 5.0),)

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer /api/v2/public/.. ."""
        method = asked.path.removeprefix("/api/v2/")
        if not asked.path.startswith("/api/v2/"):
            return self.missing(asked)
        result, failure = self.call(method, asked.query, now_ns)
        return said(replied(None, result, failure, now_ns), 400 if failure else 200)

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """Say too_many_requests, 403 for a ban, 503 in maintenance."""
        if refusal is Refusal.LIMITED:
            wait = {"reason": "too_many_requests", "wait": int(wait_s or 1)}
            return said(replied(None, None, (10028, "too_many_requests", wait), now_ns), 429)
        if refusal is Refusal.BANNED:
            return said(replied(None, None, (13403, "forbidden", {}), now_ns), 403)
        return said(replied(None, None, (11051, "system_maintenance", {}), now_ns), 503)

    def missing(self, asked: Asked) -> Answer:
        """Return the answer to a method that is none."""
        return said({"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "testnet": False}, 404)

    def call(self, method: str, params: Mapping[str, Any], now_ns: int) -> tuple[Any, Failure | None]:
        """Return (result, None) or (None, what is wrong) of a public method."""
        answers: dict[str, Reader] = {
            "get_time": lambda _: ms(now_ns),
            "test": lambda _: {"version": "1.2.26"},
            "hello": lambda _: {"version": "1.2.26"},
            "get_instruments": lambda _: self._instruments(params),
            "get_instrument": self._instrument,
            "ticker": lambda c: self.ticker(c, now_ns),
            "get_book_summary_by_currency": lambda _: [self._summary(c, now_ns) for c in self._of(params)],
            "get_book_summary_by_instrument": lambda c: [self._summary(c, now_ns)],
            "get_order_book": lambda c: self._book(c, params, now_ns),
            "get_tradingview_chart_data": lambda c: self._chart(c, params, now_ns),
            "get_funding_rate_history": lambda c: self._funding(c, params, now_ns),
            "get_last_trades_by_instrument": lambda c: self._trades(c, params, now_ns),
            "get_last_trades_by_instrument_and_time": lambda c: self._trades(c, params, now_ns),
        }
        name = method.removeprefix("public/")
        if not method.startswith("public/") or name not in answers:
            return None, (-32601, "Method not found", {})
        symbol = str(params.get("instrument_name", ""))
        alone = name in ("get_time", "test", "hello", "get_instruments", "get_book_summary_by_currency")
        if not alone and symbol not in self.contracts:
            reason = "instrument not found" if symbol else "parameter is required"
            return None, (-32602, "Invalid params", {"reason": reason, "param": "instrument_name"})
        if name == "get_order_book" and int(params.get("depth") or 5) not in _DEPTHS:
            return None, (-32602, "Invalid params", {"reason": "must be one of the allowed values", "param": "depth"})
        return answers[name](self.contracts.get(symbol)), None

    def _of(self, params: Mapping[str, Any]) -> list[Listing]:
        """Return the contracts of a currency: linear ones belong to USDC."""
        currency = str(params.get("currency") or "any")
        settled = {c.symbol: "USDC" if c.market == "linear" else c.base for c in self.contracts.values()}
        return [c for c in self.contracts.values() if currency in ("any", settled[c.symbol])]

    def _instruments(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return perpetuals with what stands beside them: a dated future, unless only another kind is wanted."""
        if params.get("kind") not in (None, "future", "any"):
            return []
        rows = [self._instrument(c) for c in self._of(params)]
        dated = [r for r in rows if r["instrument_name"] == "BTC-PERPETUAL"]
        expiry = {"instrument_name": "BTC-25DEC26", "settlement_period": "month", "expiration_timestamp": 1_798_185_600_000}
        return [*rows, *[r | expiry for r in dated]]

    def _instrument(self, contract: Listing) -> dict[str, Any]:
        linear = contract.market == "linear"
        return {
            "price_index": f"{contract.base.lower()}_{contract.quote.lower()}",
            "kind": "future",
            "instrument_name": contract.symbol,
            "max_leverage": int(self.world.tiers(contract)[0].max_leverage),
            "maker_commission": 0.0,
            "taker_commission": 0.0005,
            "instrument_type": "linear" if linear else "reversed",
            "expiration_timestamp": NEVER_MS,
            "creation_timestamp": 1_534_167_754_000,
            "is_active": True,
            "tick_size": contract.tick,
            # Amounts are dollars or coins all the same: the size of a contract only says how they are dealt out.
            "contract_size": contract.step,
            "instrument_id": 124_972,
            "min_trade_amount": contract.step,
            "future_type": "linear" if linear else "reversed",
            "max_liquidation_commission": 0.0075,
            "block_trade_commission": 0.00025,
            "block_trade_min_trade_amount": 200_000,
            "block_trade_tick_size": 0.01,
            "settlement_currency": "USDC" if linear else contract.base,
            "settlement_period": "perpetual",
            "base_currency": contract.base,
            "counter_currency": contract.quote,
            "quote_currency": contract.quote,
            "tick_size_steps": [],
            "rfq": False,
        }

    def ticker(self, contract: Listing, ts_ns: int) -> dict[str, Any]:
        """Return a ticker; open interest in dollars (inverse) or coins (linear), current funding as a rate of eight hours."""
        quote = self.world.ticker(contract, ts_ns)
        stats = {
            "high": quote.last + 100 * contract.tick,
            "low": quote.last - 100 * contract.tick,
            "price_change": 2.3275,
            "volume": round(contract.base_of(quote.volume, quote.last), 8),
            "volume_usd": round(quote.turnover, 2),
            "volume_notional": round(quote.turnover, 2),
        }
        past = sum(rate for _, rate in self.world.funding(contract, ts_ns - 8 * NS_PER_HOUR, ts_ns))
        return {
            "timestamp": ms(ts_ns),
            "state": "open",
            "stats": stats,
            "index_price": quote.index,
            "instrument_name": contract.symbol,
            "last_price": quote.last,
            "settlement_price": quote.index,
            "min_price": quote.last - 1000 * contract.tick,
            "max_price": quote.last + 1000 * contract.tick,
            "open_interest": whole(quote.open_interest),
            "mark_price": quote.mark,
            "interest_value": 0.0028213400122473,
            "best_ask_price": quote.last + contract.tick,
            "best_bid_price": quote.last - contract.tick,
            "estimated_delivery_price": quote.index,
            "best_ask_amount": contract.step * 7,
            "best_bid_amount": contract.step * 9,
            "current_funding": round(8.0 * quote.funding_rate, 8),
            "funding_8h": round(past, 8),
        }

    def _summary(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        ticker = self.ticker(contract, now_ns)
        same = ("instrument_name", "open_interest", "mark_price", "estimated_delivery_price", "current_funding", "funding_8h")
        stats = ticker["stats"]
        return {name: ticker[name] for name in same} | {
            "high": stats["high"],
            "low": stats["low"],
            "last": ticker["last_price"],
            "bid_price": ticker["best_bid_price"],
            "ask_price": ticker["best_ask_price"],
            "mid_price": ticker["last_price"],
            "creation_timestamp": ms(now_ns),
            "price_change": -3.2032,
            "volume": stats["volume"],
            "volume_usd": stats["volume_usd"],
            "volume_notional": stats["volume_notional"],
            "base_currency": contract.base,
            "quote_currency": contract.quote,
        }

    def _book(self, contract: Listing, params: Mapping[str, Any], now_ns: int) -> dict[str, Any]:
        book = self.world.book(contract, now_ns, min(int(params.get("depth") or 5), 1000))
        sides = {"bids": [[p, q] for p, q in book.bids], "asks": [[p, q] for p, q in book.asks]}
        return self.ticker(contract, now_ns) | sides | {"timestamp": ms(book.ts_ns), "change_id": ms(book.ts_ns)}

    def _chart(self, contract: Listing, params: Mapping[str, Any], now_ns: int) -> dict[str, Any]:
        step_ns = _RESOLUTIONS[str(params.get("resolution", "1"))] * NS_PER_MINUTE
        start, end = (int(params[name]) * NS_PER_MS for name in ("start_timestamp", "end_timestamp"))
        columns: dict[str, list[Any]] = {name: [] for name in ("volume", "ticks", "open", "low", "high", "cost", "close")}
        for at in stamps(start, end, now_ns, step_ns, 5000, newest=True):
            every = [self.world.minute(contract, m) for m in range(at, at + step_ns, NS_PER_MINUTE)]
            columns["ticks"].append(ms(at))
            columns["open"].append(every[0].open)
            columns["high"].append(max(c.high for c in every))
            columns["low"].append(min(c.low for c in every))
            columns["close"].append(every[-1].close)
            columns["volume"].append(round(sum(c.base for c in every), 8))
            columns["cost"].append(round(sum(c.turnover for c in every), 8))
        return columns | {"status": "ok" if columns["ticks"] else "no_data"}

    def _funding(self, contract: Listing, params: Mapping[str, Any], now_ns: int) -> list[dict[str, Any]]:
        start, end = (int(params[name]) * NS_PER_MS for name in ("start_timestamp", "end_timestamp"))
        rows: list[dict[str, Any]] = []
        for at, rate in self.world.funding(contract, start, min(end, now_ns) + 1)[:744]:
            eight = sum(r for _, r in self.world.funding(contract, at - 7 * NS_PER_HOUR, at + 1))
            index, before = self.world.ticker(contract, at).index, self.world.ticker(contract, at - NS_PER_HOUR).index
            prices = {"timestamp": ms(at), "index_price": index, "prev_index_price": before}
            rows.append(prices | {"interest_8h": round(eight, 12), "interest_1h": rate})
        return rows

    def trade(self, contract: Listing, p: Print) -> dict[str, Any]:
        """Return a trade; of the forced ones every fourth was a resting order of the liquidated: its taker is the other side."""
        quote = self.world.ticker(contract, p.ts_ns)
        resting = p.bankruptcy is not None and p.number % 4 == 3
        buys = (p.taker_side is TakerSide.BUY) is not resting
        forced = {} if p.bankruptcy is None else {"liquidation": "M" if resting else "T"}
        return forced | {
            "trade_seq": p.number,
            "trade_id": f"{contract.base}-{p.number}" if contract.market == "linear" else str(p.number),
            "timestamp": ms(p.ts_ns),
            "tick_direction": 0,
            "price": p.price,
            "mark_price": quote.mark,
            "instrument_name": contract.symbol,
            "index_price": quote.index,
            "direction": "buy" if buys else "sell",
            "contracts": p.quantity / contract.step,
            "amount": p.quantity,
        }

    def _trades(self, contract: Listing, params: Mapping[str, Any], now_ns: int) -> dict[str, Any]:
        count = min(int(params.get("count") or 10), 1000)
        ascending = params.get("sorting") == "asc"
        if "start_timestamp" in params or "end_timestamp" in params:
            end = min(int(params.get("end_timestamp") or ms(now_ns)) * NS_PER_MS + NS_PER_MS, now_ns)
            start = int(params.get("start_timestamp") or ms(end - _DAY_NS)) * NS_PER_MS
            found = self.world.trades(contract, start, end)
        else:
            found = recent(self.world, contract, now_ns, count + 1)
        ordered = found if ascending else found[::-1]
        return {"trades": [self.trade(contract, p) for p in ordered[:count]], "has_more": len(found) > count}


def replied(request: Any, result: Any, failure: Failure | None, now_ns: int) -> dict[str, Any]:
    """Return the envelope of an answer."""
    us = now_ns // 1000
    named = {} if request is None else {"id": request}
    body: dict[str, Any] = {"result": result}
    if failure is not None:
        code, message, data = failure
        body = {"error": {"code": code, "message": message, "data": data}}
    return {"jsonrpc": "2.0"} | named | body | {"usIn": us, "usOut": us + 181, "usDiff": 181, "testnet": False}
