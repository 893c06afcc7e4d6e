"""What HTX answers over HTTP, and the print that its socket shares with it."""

from __future__ import annotations

from typing import Any

from liqscape.model import PositionSide
from liqscape.testing.exchange.dialect import Answer, Asked, Cost, Dialect, Refusal, said
from liqscape.testing.exchange.dialects.common import (
    Reader,
    minutes,
    ms,
    number,
    second_of,
    seconds,
    stamps,
    whole,
)
from liqscape.testing.exchange.listing import NS_PER_MS, Listing
from liqscape.testing.exchange.world import Print
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S

_MINUTES = {"1min": 1, "5min": 5, "15min": 15, "30min": 30, "60min": 60, "4hour": 240, "12hour": 720, "1day": 1_440}
_WINDOW_NS = 2 * NS_PER_HOUR  # of one question for liquidations
_SIZES = {"BTC": 0.001, "ETH": 0.01}
_LEVERAGES = (1, 2, 3, 5, 10, 20)  # every size is allowed at each of them


class HtxRest(Dialect):
    """Answers of both lines of swaps."""

    def listings(self) -> list[Listing]:
        """Return BTC-USDT for every coin, and BTC-USD of 100 dollars a contract (10 of other coins)."""
        linear = [
            self.linear("htx", f"{coin}-USDT", coin, "USDT", coins_per_contract=_SIZES.get(coin, 1.0), market="linear")
            for coin in self.world.coins
        ]
        coins = [
            self.inverse("htx", f"{coin}-USD", coin, 100.0 if coin == "BTC" else 10.0, market="inverse")
            for coin in self.world.coins
        ]
        return [*linear, *coins]

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes: 240 in 3 s, or 800 a second where it is market data."""
        market = "/market/" in asked.path and not asked.path.startswith("/v5/")
        return (("market", 1.0, 800.0, 1.0),) if market else (("public", 1.0, 240.0, 3.0),)

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer /linear-swap-api/.., /linear-swap-ex/.., /index/.. and /v5/market/.., and the first two for coins."""
        path = asked.path
        linear = not path.startswith(("/swap-api/", "/swap-ex/", "/index/market/history/swap"))
        known = self._fifth(asked, now_ns) if path.startswith("/v5/market/") else self._older(asked, now_ns)
        # The two lines have the same names but for the prefix.
        same = path.replace("/linear-swap-", "/swap-").replace("/linear_swap_", "/swap_")
        answer = known.get(path if path.startswith("/v5/") else same)
        if answer is None:
            return self.missing(asked)
        code = (asked.query.get("contract_code") or asked.query.get("contract") or asked.query.get("pair") or "").upper()
        contract = self.contracts.get(code)
        market = "linear" if linear else "inverse"
        if code and (contract is None or contract.market != market):
            if path.startswith(("/v5/", "/linear-swap-api/v3/")):
                return said({"code": 1014, "message": "This contract doesnt exist.", "ts": ms(now_ns)})
            return self._error(1014, "This contract doesnt exist.", now_ns)
        chosen = [contract] if contract else [c for c in self.contracts.values() if c.market == market]
        found = answer(chosen)
        return found if isinstance(found, Answer) else said(found | {"ts": ms(now_ns)})

    def _error(self, code: int, words: str, now_ns: int) -> Answer:
        return said({"status": "error", "err_code": code, "err_msg": words, "ts": ms(now_ns)})

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """Say 1032 in a 200 if too fast, 403 for a ban, 1001 in maintenance."""
        if refusal is Refusal.LIMITED:
            return self._error(1032, "The number of access exceeded the limit.", now_ns)
        if refusal is Refusal.BANNED:
            return Answer(403, b"<html><head><title>403 Forbidden</title></head></html>")
        return self._error(1001, "System is unprepared.", now_ns)

    def missing(self, asked: Asked) -> Answer:
        """Return the 404 of the venue."""
        return said({"status": "error", "err_code": 404, "err_msg": "no such interface", "ts": 0}, 404)

    def _older(self, asked: Asked, now_ns: int) -> dict[str, Reader]:
        api, ex = "/swap-api/v1/swap_", "/swap-ex/market/"
        return {
            api + "contract_info": lambda cs: _ok(data=[self._info(c) for c in cs]),
            api + "index": lambda cs: _ok(data=[self._index(c, now_ns) for c in cs]),
            api + "open_interest": lambda cs: _ok(data=[self.interest(c, now_ns) for c in cs]),
            api + "his_open_interest": lambda cs: _ok(data=self._interests(cs[0], asked, now_ns)),
            api + "funding_rate": lambda cs: _ok(data=self._rate(cs[0], now_ns)),
            api + "batch_funding_rate": lambda cs: _ok(data=[self._rate(c, now_ns) for c in cs]),
            api + "historical_funding_rate": lambda cs: _ok(data=self._funding(cs[0], asked, now_ns)),
            api + "elite_account_ratio": lambda cs: _ok(data=self._ratios(cs[0], asked, now_ns, "top_accounts")),
            api + "elite_position_ratio": lambda cs: _ok(data=self._ratios(cs[0], asked, now_ns, "top_positions")),
            api + "adjustfactor": lambda cs: _ok(data=[self._factors(c, "isolated") for c in cs]),
            api + "cross_adjustfactor": lambda cs: _ok(data=[self._factors(c, "cross") for c in cs]),
            "/swap-api/v3/swap_liquidation_orders": lambda cs: self._liquidations(cs[0], asked, now_ns),
            ex + "history/kline": lambda cs: self._candles(cs[0], asked, now_ns),
            "/index/market/history/swap_mark_price_kline": lambda cs: self._marks(cs[0], asked, now_ns),
            ex + "depth": lambda cs: self._book(cs[0], asked, now_ns),
            ex + "detail/merged": lambda cs: {
                "ch": f"market.{cs[0].symbol}.detail.merged",
                "status": "ok",
                "tick": self._overview(cs[0], now_ns),
            },
            "/v2" + ex + "detail/batch_merged": lambda cs: _ok(ticks=[self._overview(c, now_ns) for c in cs]),
        }

    def _fifth(self, asked: Asked, now_ns: int) -> dict[str, Reader]:
        base = "/v5/market/"
        return {
            base + "open_interest": lambda cs: _fine(
                {name: str(value) for name, value in self.interest(cs[0], now_ns).items() if name != "symbol"}
            ),
            base + "funding_rate": lambda cs: _fine([self._rate_fifth(c, now_ns) for c in cs]),
            base + "funding_rate_history": lambda cs: _fine(
                [
                    {
                        "id": str(seconds(at)),
                        "contract_code": cs[0].symbol,
                        "funding_rate": number(r),
                        "funding_time": str(ms(at)),
                    }
                    for at, r in self._paid(cs[0], asked, now_ns)[: asked.count("limit", 20, 100)]
                ]
            ),
            base + "liquidation_orders": lambda cs: self._liquidations(cs[0], asked, now_ns),
        }

    def _names(self, contract: Listing) -> dict[str, Any]:
        names: dict[str, Any] = {"symbol": contract.base, "contract_code": contract.symbol}
        if contract.market == "linear":
            names |= {"business_type": "swap", "pair": contract.symbol, "contract_type": "swap", "trade_partition": "USDT"}
        return names

    def _info(self, contract: Listing) -> dict[str, Any]:
        more = {"support_margin_mode": "all"} if contract.market == "linear" else {}
        return (
            self._names(contract)
            | more
            | {
                "contract_size": contract.contract_size,
                "price_tick": contract.tick,
                "delivery_date": "",
                "delivery_time": "",
                "create_date": "20201021",
                "contract_status": 1,
                "settlement_date": "1790000000000",
            }
        )

    def _index(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        quote = self.world.ticker(contract, now_ns)
        return {"index_price": quote.index, "index_ts": ms(now_ns - now_ns % NS_PER_S), "contract_code": contract.symbol}

    def interest(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        """Return open interest and the day's trade, longs and shorts added up."""
        quote = self.world.ticker(contract, now_ns)
        price = quote.mark
        row = self._names(contract) | {
            "volume": 2.0 * quote.open_interest,
            "amount": round(2.0 * contract.base_of(quote.open_interest, price), 8),
            "value": round(2.0 * contract.quote_of(quote.open_interest, price), 8),
            "trade_amount": round(2.0 * contract.base_of(quote.volume, price), 8),
            "trade_volume": whole(2.0 * quote.volume),
            "trade_turnover": round(2.0 * quote.turnover, 8),
        }
        return row if contract.market == "linear" else {name: v for name, v in row.items() if name != "value"}

    def _interests(self, contract: Listing, asked: Asked, now_ns: int) -> dict[str, Any]:
        step_ns = _MINUTES[asked.query.get("period", "60min")] * NS_PER_MINUTE
        kind = int(asked.query.get("amount_type") or 1)
        rows: list[dict[str, Any]] = []
        for at in stamps(None, None, now_ns, step_ns, asked.count("size", 48, 200), newest=True)[::-1]:
            quote = self.world.ticker(contract, at)
            both = 2.0 * quote.open_interest
            volume = both if kind == 1 else contract.base_of(both, quote.mark)
            value = {"value": round(contract.quote_of(both, quote.mark), 8)} if contract.market == "linear" else {}
            rows.append({"volume": round(volume, 8), "amount_type": kind, "ts": ms(at)} | value)
        return self._names(contract) | {"tick": rows}

    def _rate(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        quote = self.world.ticker(contract, now_ns)
        return {
            "funding_rate": f"{quote.funding_rate:.18f}",
            "contract_code": contract.symbol,
            "symbol": contract.base,
            "fee_asset": contract.quote if contract.market == "linear" else contract.base,
            "funding_time": str(ms(quote.next_funding_ns)),
            "estimated_rate": None,
            "next_funding_time": None,
            "trade_partition": "USDT",
        }

    def _rate_fifth(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        quote = self.world.ticker(contract, now_ns)
        following = quote.next_funding_ns + contract.funding_hours * NS_PER_HOUR
        return {
            "contract_code": contract.symbol,
            "funding_rate": f"{quote.funding_rate:.18f}",
            "funding_time": str(ms(quote.next_funding_ns)),
            "next_funding_time": str(ms(following)),
            "min_funding_rate": "-0.003750000000000000",
            "max_funding_rate": "0.003750000000000000",
        }

    def _paid(self, contract: Listing, asked: Asked, now_ns: int) -> list[tuple[int, float]]:
        start, end = asked.instant("start_time"), asked.instant("end_time")
        last = now_ns if end is None else min(end, now_ns)
        first = last - 3000 * NS_PER_HOUR if start is None else start
        return self.world.funding(contract, first, last + 1)[::-1]

    def _funding(self, contract: Listing, asked: Asked, now_ns: int) -> dict[str, Any]:
        paid = self._paid(contract, asked, now_ns)
        size, page = asked.count("page_size", 20, 50), int(asked.query.get("page_index") or 1)
        rows = [
            {
                "avg_premium_index": "0.000049895833333333",
                "funding_rate": f"{rate:.18f}",
                "funding_time": str(ms(at)),
                "realized_rate": None,
                "contract_code": contract.symbol,
                "symbol": contract.base,
                "fee_asset": contract.quote,
            }
            for at, rate in paid[size * (page - 1) : size * page]
        ]
        return {"total_page": -(-len(paid) // size), "current_page": page, "total_size": len(paid), "data": rows}

    def _ratios(self, contract: Listing, asked: Asked, now_ns: int, population: str) -> dict[str, Any]:
        step_ns = _MINUTES[asked.query.get("period", "5min")] * NS_PER_MINUTE
        rows: list[dict[str, Any]] = []
        for at in stamps(None, None, now_ns, step_ns, 30, newest=True):
            share = self.world.long_share(contract, at, population)
            locked = {"locked_ratio": 0} if population == "top_accounts" else {}
            rows.append({"buy_ratio": share, "sell_ratio": round(1.0 - share, 4), "ts": ms(at)} | locked)
        return self._names(contract) | {"list": rows}

    def _factors(self, contract: Listing, mode: str) -> dict[str, Any]:
        """Return the rungs of each leverage, in contracts: the factor over the leverage is the maintenance rate."""
        unit = contract.quote_of(1.0, self.world.price_of(contract.base))
        tiers = self.world.tiers(contract)
        rates: list[dict[str, Any]] = []
        for leverage in _LEVERAGES:
            rungs = [
                {
                    "ladder": number_,
                    "min_size": round(tier.floor / unit),
                    "max_size": None if tier is tiers[-1] else round(tier.cap / unit) - 1,
                    "adjust_factor": round(tier.maintenance_margin_rate * leverage, 6),
                }
                for number_, tier in enumerate(tiers)
            ]
            rates.append({"lever_rate": leverage, "ladders": rungs})
        return self._names(contract) | {"margin_mode": mode, "list": rates}

    def liquidation(self, contract: Listing, p: Print) -> dict[str, Any]:
        """Return a print of the socket and of v3: the direction of the closing order, contracts and coins."""
        price = p.bankruptcy or p.price
        row = self._names(contract) | {
            "direction": "sell" if p.position_side is PositionSide.LONG else "buy",
            "offset": "close",
            "volume": p.quantity,
            "price": price,
            "created_at": ms(p.ts_ns),
            "amount": round(contract.base_of(p.quantity, price), 8),
        }
        return row | ({"trade_turnover": round(contract.quote_of(p.quantity, price), 8)} if contract.market == "linear" else {})

    def _liquidation_fifth(self, contract: Listing, p: Print) -> dict[str, str]:
        price = p.bankruptcy or p.price
        long = p.position_side is PositionSide.LONG
        return {
            "id": str(150_000_000_000 + p.number % 10**9),
            "contract_code": contract.symbol,
            "liquidation_time": str(ms(p.ts_ns)),
            "side": "sell" if long else "buy",
            "position_side": "long" if long else "short",
            # The venue writes contracts into both fields; only the turnover tells coins from contracts.
            "volume": number(p.quantity),
            "amount": number(p.quantity),
            "bankrupt_price": contract.price(price),
            "trade_turnover": number(contract.quote_of(p.quantity, price)),
        }

    def _liquidations(self, contract: Listing, asked: Asked, now_ns: int) -> dict[str, Any] | Answer:
        end = asked.instant("end_time")
        last = now_ns if end is None else min(end, now_ns)
        start = asked.instant("start_time")
        first = last - _WINDOW_NS if start is None else start
        if last - first > _WINDOW_NS:
            return said({"code": 1067, "msg": "Illegal parameter start_time.", "data": None, "ts": ms(now_ns)})
        found = self.world.liquidations(contract, first, last + NS_PER_MS)
        kind = asked.query.get("trade_type", "0")
        if kind in ("5", "6"):
            wanted = PositionSide.LONG if kind == "5" else PositionSide.SHORT
            found = [p for p in found if p.position_side is wanted]
        forward = asked.query.get("direct", "next" if asked.path.startswith("/v5/") else "prev") == "next"
        known = int(asked.query.get("from_id") or 0)
        if known:
            found = [p for p in found if (p.number > known if forward else p.number < known)]
        page = (found if forward else found[::-1])[: asked.count("limit", 50, 100)]
        if asked.path.startswith("/v5/"):
            return {"code": 200, "message": "Success", "data": [self._liquidation_fifth(contract, p) for p in page]}
        rows = [self.liquidation(contract, p) | {"query_id": p.number} for p in page]
        return {"code": 200, "msg": "", "data": rows}

    def _candles(self, contract: Listing, asked: Asked, now_ns: int) -> dict[str, Any] | Answer:
        start, end = second_of(asked, "from"), second_of(asked, "to")
        if "size" not in asked.query and (start is None or end is None):
            return self._error(1067, "Illegal parameter size.", now_ns)
        step_ns = _MINUTES[asked.query.get("period", "1min")] * NS_PER_MINUTE
        if "size" in asked.query:
            start = end = None
        rows: list[dict[str, Any]] = []
        for at in stamps(start, end, now_ns, step_ns, asked.count("size", 2000, 2000), newest=True):
            every = minutes(self.world, contract, range(at, at + step_ns, NS_PER_MINUTE))
            rows.append(
                {
                    "id": seconds(at),
                    "open": every[0].open,
                    "close": every[-1].close,
                    "low": min(c.low for c in every),
                    "high": max(c.high for c in every),
                    "amount": round(2.0 * sum(c.base for c in every), 8),
                    "vol": whole(2.0 * sum(c.quantity for c in every)),
                    "trade_turnover": round(2.0 * sum(c.turnover for c in every), 8),
                    "count": sum(c.trades for c in every),
                }
            )
        return {"ch": f"market.{contract.symbol}.kline.{asked.query.get('period', '1min')}", "status": "ok", "data": rows}

    def _marks(self, contract: Listing, asked: Asked, now_ns: int) -> dict[str, Any]:
        """Return mark candles: the newest `size`, there is no way to ask for older ones."""
        step_ns = _MINUTES[asked.query.get("period", "1min")] * NS_PER_MINUTE
        empty = {"amount": "0", "count": "0", "trade_turnover": "0", "vol": "0"}
        rows: list[dict[str, Any]] = []
        for at in stamps(None, None, now_ns, step_ns, asked.count("size", 150, 2000), newest=True):
            every = minutes(self.world, contract, range(at, at + step_ns, NS_PER_MINUTE), "mark")
            first, last = contract.price(every[0].open), contract.price(every[-1].close)
            high, low = contract.price(max(c.high for c in every)), contract.price(min(c.low for c in every))
            rows.append({"id": seconds(at), "open": first, "high": high, "low": low, "close": last} | empty)
        return {"ch": f"market.{contract.symbol}.mark_price.{asked.query.get('period', '1min')}", "status": "ok", "data": rows}

    def _book(self, contract: Listing, asked: Asked, now_ns: int) -> dict[str, Any]:
        deep = asked.query.get("type", "step0") in ("step0", "step1", "step2", "step3", "step4", "step5", "step14", "step15")
        book = self.world.book(contract, now_ns, 150 if deep else 20)
        channel = f"market.{contract.symbol}.depth.{asked.query.get('type', 'step0')}"
        at = {"ts": ms(book.ts_ns), "id": seconds(book.ts_ns), "mrid": seconds(book.ts_ns), "version": seconds(book.ts_ns)}
        sides = {"asks": [[p, whole(q)] for p, q in book.asks], "bids": [[p, whole(q)] for p, q in book.bids]}
        return {"ch": channel, "status": "ok", "tick": sides | at | {"ch": channel}}

    def _overview(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        quote = self.world.ticker(contract, now_ns)
        return {
            "id": seconds(now_ns),
            "ts": ms(now_ns),
            "ask": [quote.last + contract.tick, 131],
            "bid": [quote.last - contract.tick, 38],
            "business_type": "swap",
            "contract_code": contract.symbol,
            "open": contract.price(quote.last * 0.99),
            "close": contract.price(quote.last),
            "low": contract.price(quote.last * 0.97),
            "high": contract.price(quote.last * 1.03),
            "amount": number(2.0 * contract.base_of(quote.volume, quote.last), 8),
            "count": 48262,
            "vol": number(2.0 * quote.volume),
            "trade_turnover": number(2.0 * quote.turnover, 4),
            "number_of": number(2.0 * quote.volume),
        }


def _ok(**more: Any) -> dict[str, Any]:
    return {"status": "ok"} | more


def _fine(data: Any) -> dict[str, Any]:
    return {"code": 200, "message": "Success", "data": data}
