"""Bitget futures, v2 and v3 (UTA), as its documentation says (https://www.bitget.com/api-doc/).

Where its habits differ from others': a print's `side` is the side of the POSITION and its `amount` is in the QUOTE currency;
prints come seconds late in batches, and only the largest long and the largest short of a pair and second; ping and pong are
plain text; errors are codes in text; long-short ratios are to be asked for once a second at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from liqscape.model import PositionSide, TakerSide
from liqscape.testing.exchange.dialect import (
    Answer,
    Asked,
    Conversation,
    Cost,
    Dialect,
    Frame,
    Refusal,
    Topics,
    beats,
    dumps,
    said,
)
from liqscape.testing.exchange.dialects.common import (
    Reader,
    batched,
    heard,
    largest_a_second,
    minutes,
    ms,
    number,
    stamps,
)
from liqscape.testing.exchange.listing import Listing, decimals
from liqscape.testing.exchange.world import Print
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S

_V2, _V3 = "/api/v2/mix/market/", "/api/v3/market/"
_MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "4H": 240}
_PERIODS = {"5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "1d": 1_440}
_RATIOS = {
    "account-long-short": ("longAccountRatio", "shortAccountRatio", "longShortAccountRatio", "accounts"),
    "position-long-short": ("longPositionRatio", "shortPositionRatio", "longShortPositionRatio", "top_positions"),
    "long-short": ("longRatio", "shortRatio", "longShortRatio", "accounts"),
}
# The simulated ones exist on the venue and list nothing here.
_CATEGORIES = ("USDT-FUTURES", "USDC-FUTURES", "COIN-FUTURES", "SUSDT-FUTURES", "SUSDC-FUTURES", "SCOIN-FUTURES")
_PRINTS_NS = 10 * NS_PER_S
_MOST_MESSAGES_A_SECOND = 10
_DIES_AFTER_NS = 120 * NS_PER_S  # without a ping
_KEPT_NS = 3 * NS_PER_DAY  # of past liquidations


class Bitget(Dialect):
    """api.bitget.com and ws.bitget.com."""

    key = "bitget"
    hosts = ("api.bitget.com", "ws.bitget.com")

    def listings(self) -> list[Listing]:
        """Return BTCUSDT for every coin and BTCPERP, settled in USDC; quantities are coins."""
        usdt = [self.linear("bitget", f"{coin}USDT", coin, "USDT", market="USDT-FUTURES") for coin in self.world.coins]
        usdc = [self.linear("bitget", f"{coin}PERP", coin, "USDC", market="USDC-FUTURES") for coin in self.world.coins[:1]]
        return [*usdt, *usdc]

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes: 20 a second and endpoint, 10 of tiers, 1 of ratios; 6,000 a minute and address."""
        name = asked.path.rpartition("/")[2]
        most = 1.0 if name in _RATIOS or name == "taker-buy-sell" else 10.0 if "position" in name else 20.0
        return ((asked.path, 1.0, most, 1.0), ("ip", 1.0, 6000.0, 60.0))

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer /api/v2/mix/market/.. and /api/v3/market/.. ."""
        new = asked.path.startswith(_V3)
        answers = self._new(asked, now_ns) if new else self._old(asked, now_ns) if asked.path.startswith(_V2) else {}
        answer = answers.get(asked.path.removeprefix(_V3 if new else _V2))
        if answer is None:
            return self.missing(asked)
        category = asked.query.get("category" if new else "productType", "").upper()
        symbol = asked.query.get("symbol", "")
        named = self.contracts.get(symbol)
        if category not in _CATEGORIES and not (named and "long-short" in asked.path):
            return self._said(None, now_ns, "40034" if category else "400172", "Parameter verification failed", 400)
        if symbol and (named is None or category not in ("", named.market)):
            return self._said(None, now_ns, "40034", f"Parameter {symbol} does not exist", 400)
        chosen = [named] if named else [c for c in self.contracts.values() if c.market == category]
        return self._said(answer(chosen), now_ns)

    def _said(self, data: Any, now_ns: int, code: str = "00000", words: str = "success", status: int = 200) -> Answer:
        return said({"code": code, "msg": words, "requestTime": ms(now_ns), "data": data}, status)

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """Say 429 with code 429 if too fast, 403 for a ban, 40725 in maintenance."""
        if refusal is Refusal.LIMITED:
            return self._said(None, now_ns, "429", "Too Many Requests", 429)
        if refusal is Refusal.BANNED:
            return Answer(403, b"<html><head><title>403 Forbidden</title></head></html>")
        return self._said(None, now_ns, "40725", "service return an error", 503)

    def missing(self, asked: Asked) -> Answer:
        """Return the 404 of the venue."""
        return said({"code": "40404", "msg": "Request URL NOT FOUND", "requestTime": 0, "data": None}, 404)

    def _old(self, asked: Asked, now_ns: int) -> dict[str, Reader]:
        ratios: dict[str, Reader] = {name: lambda cs, name=name: self._ratios(cs[0], name, asked, now_ns) for name in _RATIOS}
        answers: dict[str, Reader] = {
            "contracts": lambda cs: [self._contract(c) for c in cs],
            "tickers": lambda cs: [self._ticker_old(c, now_ns) for c in cs],
            "ticker": lambda cs: [self._ticker_old(c, now_ns) for c in cs],
            "symbol-price": lambda cs: [self._ticker_old(c, now_ns) for c in cs],
            "candles": lambda cs: self._candles(cs[0], asked, now_ns, 1000, asked.query.get("kLineType", "MARKET")),
            "history-candles": lambda cs: self._candles(cs[0], asked, now_ns, 200, "MARKET"),
            "history-mark-candles": lambda cs: self._candles(cs[0], asked, now_ns, 200, "MARK"),
            "history-index-candles": lambda cs: self._candles(cs[0], asked, now_ns, 200, "INDEX"),
            "open-interest": lambda cs: {
                "openInterestList": [{"symbol": c.symbol, "size": c.quantity(self.world.open_interest(c, now_ns))} for c in cs],
                "ts": str(ms(now_ns)),
            },
            "current-fund-rate": lambda cs: [self._rate(c, now_ns) for c in cs],
            "history-fund-rate": lambda cs: self._funding(cs[0], asked, now_ns, "pageSize", "fundingTime"),
            "query-position-lever": lambda cs: self._tiers(cs[0], new=False),
            "merge-depth": lambda cs: self._book(cs[0], asked, now_ns) | {"scale": "scale0", "precision": "scale0"},
        }
        return answers | ratios

    def _new(self, asked: Asked, now_ns: int) -> dict[str, Reader]:
        return {
            "instruments": lambda cs: [self._instrument(c) for c in cs],
            "tickers": lambda cs: [{"category": c.market, "symbol": c.symbol} | self.ticker(c, now_ns, "ts") for c in cs],
            "candles": lambda cs: self._candles(cs[0], asked, now_ns, 1000, asked.query.get("type", "MARKET")),
            "history-candles": lambda cs: self._candles(cs[0], asked, now_ns, 100, asked.query.get("type", "MARKET")),
            "open-interest": lambda cs: {
                "list": [{"symbol": c.symbol, "openInterest": c.quantity(self.world.open_interest(c, now_ns))} for c in cs],
                "ts": str(ms(now_ns)),
            },
            "current-fund-rate": lambda cs: [self._rate(c, now_ns) for c in cs],
            "history-fund-rate": lambda cs: {"resultList": self._funding(cs[0], asked, now_ns, "limit", "fundingRateTimestamp")},
            "position-tier": lambda cs: self._tiers(cs[0], new=True),
            "orderbook": lambda cs: {
                {"asks": "a", "bids": "b"}.get(name, name): value for name, value in self._book(cs[0], asked, now_ns).items()
            },
            "liquidations": lambda cs: self._liquidations(cs, asked, now_ns),
        }

    def _contract(self, contract: Listing) -> dict[str, Any]:
        places = decimals(contract.tick)
        return {
            "symbol": contract.symbol,
            "baseCoin": contract.base,
            "quoteCoin": contract.quote,
            "buyLimitPriceRatio": "0.05",
            "sellLimitPriceRatio": "0.05",
            "feeRateUpRatio": "0.005",
            "makerFeeRate": "0.0002",
            "takerFeeRate": "0.0006",
            "openCostUpRatio": "0.01",
            "supportMarginCoins": [contract.quote],
            "minTradeNum": contract.quantity(contract.step),
            # The tick is so many units of the last place.
            "priceEndStep": str(round(contract.tick * 10**places)),
            "volumePlace": str(decimals(contract.step)),
            "pricePlace": str(places),
            "sizeMultiplier": contract.quantity(contract.step),
            "symbolType": "perpetual",
            "minTradeUSDT": "5",
            "maxSymbolOrderNum": "200",
            "maxProductOrderNum": "1000",
            "maxPositionNum": "150",
            "symbolStatus": "normal",
            "offTime": "-1",
            "limitOpenTime": "-1",
            "deliveryTime": "",
            "deliveryStartTime": "",
            "deliveryPeriod": "",
            "launchTime": "",
            "fundInterval": str(contract.funding_hours),
            "minLever": "1",
            "maxLever": number(self.world.tiers(contract)[0].max_leverage),
            "posLimit": "0.1",
            "maintainTime": "",
            "openTime": "",
        }

    def _instrument(self, contract: Listing) -> dict[str, Any]:
        old = self._contract(contract)
        same = ("symbol", "baseCoin", "quoteCoin", "makerFeeRate", "takerFeeRate", "fundInterval", "launchTime", "deliveryTime")
        return {name: old[name] for name in same} | {
            "category": contract.market,
            "minOrderQty": old["minTradeNum"],
            "maxOrderQty": "",
            "pricePrecision": old["pricePlace"],
            "quantityPrecision": old["volumePlace"],
            "quotePrecision": None,
            "priceMultiplier": contract.price(contract.tick),
            "quantityMultiplier": contract.quantity(contract.step),
            "type": "perpetual",
            "minOrderAmount": "5",
            "status": "online",
            "minLeverage": "1",
            "maxLeverage": old["maxLever"],
            "isRwa": "NO",
        }

    def ticker(self, contract: Listing, ts_ns: int, clock: str = "") -> dict[str, Any]:
        """Return the fields of v3; open interest is in coins. `clock` names a field for the time."""
        quote = self.world.ticker(contract, ts_ns)
        return ({clock: str(ms(ts_ns))} if clock else {}) | {
            "lastPrice": contract.price(quote.last),
            "openPrice24h": contract.price(quote.last * 0.99),
            "highPrice24h": contract.price(quote.last * 1.03),
            "lowPrice24h": contract.price(quote.last * 0.97),
            "ask1Price": contract.price(quote.last + contract.tick),
            "bid1Price": contract.price(quote.last - contract.tick),
            "bid1Size": contract.quantity(contract.step * 9),
            "ask1Size": contract.quantity(contract.step * 7),
            "price24hPcnt": "0.0101",
            "volume24h": contract.quantity(quote.volume),
            "turnover24h": number(quote.turnover, 5),
            "indexPrice": contract.price(quote.index),
            "markPrice": contract.price(quote.mark),
            "fundingRate": number(quote.funding_rate),
            "openInterest": contract.quantity(quote.open_interest),
            "nextFundingTime": str(ms(quote.next_funding_ns)),
            "deliveryStartTime": "",
            "deliveryTime": "",
            "deliveryStatus": "",
        }

    def _ticker_old(self, contract: Listing, ts_ns: int) -> dict[str, Any]:
        new = self.ticker(contract, ts_ns)
        names = {
            "lastPr": "lastPrice",
            "askPr": "ask1Price",
            "bidPr": "bid1Price",
            "bidSz": "bid1Size",
            "askSz": "ask1Size",
            "high24h": "highPrice24h",
            "low24h": "lowPrice24h",
            "open24h": "openPrice24h",
            "change24h": "price24hPcnt",
            "baseVolume": "volume24h",
            "quoteVolume": "turnover24h",
            "usdtVolume": "turnover24h",
            "indexPrice": "indexPrice",
            "fundingRate": "fundingRate",
            "holdingAmount": "openInterest",
            "markPrice": "markPrice",
            "deliveryStatus": "deliveryStatus",
        }
        head = {"symbol": contract.symbol, "ts": str(ms(ts_ns)), "deliveryStartTime": None, "deliveryTime": None}
        return head | {old: new[name] for old, name in names.items()}

    def ticker_pushed(self, contract: Listing, ts_ns: int) -> dict[str, Any]:
        """Return the fields of v2's socket."""
        more = {"instId": contract.symbol, "symbolType": "1", "deliveryPrice": "0", "openUtc": "0"}
        following = self.world.ticker(contract, ts_ns).next_funding_ns
        return self._ticker_old(contract, ts_ns) | more | {"nextFundingTime": str(ms(following))}

    def _rate(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        quote = self.world.ticker(contract, now_ns)
        interval = {"fundingRateInterval": str(contract.funding_hours), "nextUpdate": str(ms(quote.next_funding_ns))}
        limits = {"minFundingRate": "-0.003", "maxFundingRate": "0.003"}
        return {"symbol": contract.symbol, "fundingRate": number(quote.funding_rate)} | interval | limits

    def _candles(self, contract: Listing, asked: Asked, now_ns: int, most: int, kind: str) -> list[list[str]]:
        step_ns = _MINUTES[asked.query.get("granularity") or asked.query.get("interval") or "1m"] * NS_PER_MINUTE
        start, end = asked.instant("startTime"), asked.instant("endTime")
        price = {"MARKET": "last", "MARK": "mark", "INDEX": "index"}[kind.upper()]
        rows: list[list[str]] = []
        for at in stamps(start, end, now_ns, step_ns, asked.count("limit", 100, most), newest=True):
            every = minutes(self.world, contract, range(at, at + step_ns, NS_PER_MINUTE), price)
            prices = (every[0].open, max(c.high for c in every), min(c.low for c in every), every[-1].close)
            sums = (sum(c.base for c in every), sum(c.turnover for c in every))
            rows.append([str(ms(at)), *map(contract.price, prices), *map(number, sums)])
        # v2 tells the oldest first, v3 the newest.
        return rows[::-1] if asked.path.startswith(_V3) else rows

    def _funding(self, contract: Listing, asked: Asked, now_ns: int, size: str, clock: str) -> list[dict[str, str]]:
        limit = asked.count(size, 20, 100)
        page = int(asked.query.get("pageNo") or asked.query.get("cursor") or 1)
        paid = self.world.funding(contract, now_ns - limit * page * contract.funding_hours * NS_PER_HOUR, now_ns + 1)[::-1]
        found = paid[limit * (page - 1) : limit * page]
        return [{"symbol": contract.symbol, "fundingRate": number(rate), clock: str(ms(at))} for at, rate in found]

    def _ratios(self, contract: Listing, name: str, asked: Asked, now_ns: int) -> list[dict[str, str]]:
        long_name, short_name, both, population = _RATIOS[name]
        step_ns = _PERIODS[asked.query.get("period", "5m")] * NS_PER_MINUTE
        rows: list[dict[str, str]] = []
        for at in stamps(None, None, now_ns, step_ns, 30, newest=True):
            share = self.world.long_share(contract, at, population)
            shares = {long_name: f"{share:.4f}", short_name: f"{1 - share:.4f}", both: f"{share / (1 - share):.4f}"}
            rows.append(shares | {"ts": str(ms(at))})
        return rows

    def _tiers(self, contract: Listing, *, new: bool) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        for level, tier in enumerate(self.world.tiers(contract), start=1):
            floor, cap, rate = number(tier.floor), number(tier.cap), number(tier.maintenance_margin_rate)
            head = {"leverage": number(tier.max_leverage)}
            if new:
                rows.append(head | {"tier": str(level), "minTierValue": floor, "maxTierValue": cap, "mmr": rate})
            else:
                head |= {"symbol": contract.symbol, "level": str(level)}
                rows.append(head | {"startUnit": floor, "endUnit": cap, "keepMarginRate": rate})
        return rows

    def _book(self, contract: Listing, asked: Asked, now_ns: int) -> dict[str, Any]:
        wanted = asked.query.get("limit", "100")
        book = self.world.book(contract, now_ns, 1000 if wanted == "max" else min(int(wanted), 1000))
        sides = [[[contract.price(p), contract.quantity(q)] for p, q in rows] for rows in (book.asks, book.bids)]
        return {"asks": sides[0], "bids": sides[1], "ts": str(ms(book.ts_ns))}

    def shown(self, contract: Listing, start_ns: int, end_ns: int) -> list[Print]:
        """Return the prints that the venue shows of whole seconds: of each the largest long and the largest short."""
        first, last = start_ns - start_ns % NS_PER_S, -(-end_ns // NS_PER_S) * NS_PER_S
        sample = largest_a_second(self.world.liquidations(contract, first, last))
        return [p for p in sample if start_ns <= p.ts_ns < end_ns]

    def liquidation(self, contract: Listing, p: Print) -> dict[str, str]:
        """Return a print: the position's side, and what it was worth in the quote currency."""
        return {
            "symbol": contract.symbol,
            "side": "buy" if p.position_side is PositionSide.LONG else "sell",
            "price": contract.price(p.price),
            "amount": number(contract.quote_of(p.quantity, p.price)),
            "ts": str(ms(p.ts_ns)),
        }

    def _liquidations(self, contracts: list[Listing], asked: Asked, now_ns: int) -> dict[str, Any]:
        limit, end = asked.count("limit", 100, 100), asked.query.get("cursor", "")
        last = int(end) if end else now_ns
        found: list[tuple[Listing, Print]] = []
        # Backwards hour by hour until a page is full: three days of a busy market are long.
        while len(found) <= limit and last > now_ns - _KEPT_NS:
            first = max(last - NS_PER_HOUR, now_ns - _KEPT_NS)
            hour = [(c, p) for c in contracts for p in self.shown(c, first, last)]
            found += sorted(hour, key=lambda pair: -pair[1].ts_ns)
            last = first
        page = found[:limit]
        if len(found) > limit:
            # A page ends between two instants, so that none is cut.
            cut = found[limit][1].ts_ns
            page = [pair for pair in page if pair[1].ts_ns > cut] or page
        more = str(page[-1][1].ts_ns) if len(found) > limit else ""
        return {"list": [self.liquidation(c, p) for c, p in page], "cursor": more}

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open /v2/ws/public or /v3/ws/public."""
        path = asked.path.rstrip("/")
        return _Conversation(self, path.startswith("/v3"), now_ns) if path in ("/v2/ws/public", "/v3/ws/public") else None


class _Conversation(Topics):
    """Topics liquidation (v3), ticker and trades of both generations."""

    def __init__(self, dialect: Bitget, new: bool, now_ns: int) -> None:
        super().__init__()
        self._dialect = dialect
        self._world = dialect.world
        self._new = new
        self._args: dict[str, dict[str, str]] = {}
        self._pinged_ns = now_ns
        self._second: list[int] = []

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        """Answer ping, subscribe and unsubscribe; more than ten messages a second end the connection."""
        self._second = [at for at in self._second if at > now_ns - NS_PER_S] + [now_ns]
        if len(self._second) > _MOST_MESSAGES_A_SECOND:
            self.hung_up = True
            return []
        if message in ("ping", b"ping"):
            self._pinged_ns = now_ns
            return ["pong"]
        asked = heard(message)
        operation = str(asked.get("op", ""))
        if operation not in ("subscribe", "unsubscribe"):
            return [dumps({"event": "error", "code": 30003, "msg": f"op {operation} not exists", "op": operation})]
        return [self._answer(operation, arg, now_ns) for arg in asked.get("args", [])]

    def _answer(self, operation: str, arg: dict[str, str], now_ns: int) -> str:
        what = arg.get("topic" if self._new else "channel", "")
        symbol = arg.get("symbol" if self._new else "instId", "")
        category = arg.get("instType", "").upper()
        contract = self._dialect.contracts.get(symbol)
        known = ("liquidation", "ticker", "publicTrade") if self._new else ("ticker", "trade")
        alone = what == "liquidation" and not symbol and category in _CATEGORIES
        if what not in known or not (alone or (contract is not None and contract.market == category)):
            words = f"{'topic' if self._new else 'channel'}:{what},instId:{symbol} doesn't exist"
            return dumps({"event": "error", "arg": arg, "code": 30001, "msg": words})
        topic = f"{what} {category} {symbol}"
        if operation == "subscribe":
            self._args[topic] = arg
            self.subscribe(topic, now_ns)
        else:
            self.unsubscribe(topic)
        return dumps({"event": operation, "arg": arg})

    def frames(self, from_ns: int, to_ns: int) -> list[tuple[int, Frame]]:
        """Push nothing more once no ping came for two minutes."""
        if to_ns - self._pinged_ns > _DIES_AFTER_NS:
            self.hung_up = True
        return super().frames(from_ns, min(to_ns, self._pinged_ns + _DIES_AFTER_NS))

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield the frames of one topic."""
        what, category, symbol = topic.split(" ")
        dialect, beat_ns = self._dialect, self._world.beat_ns
        if what == "liquidation":
            yield from self._liquidations(topic, category, from_ns, to_ns)
        elif what == "ticker":
            contract = dialect.contracts[symbol]
            for at in beats(from_ns, to_ns, beat_ns):
                row = dialect.ticker(contract, at) if self._new else dialect.ticker_pushed(contract, at)
                yield at, self._pushed("snapshot", topic, at, [row])
        else:
            for at, found in batched(self._world, [dialect.contracts[symbol]], from_ns, to_ns, beat_ns, forced=False):
                yield at, self._pushed("update", topic, at, [self._trade(c, p) for c, p in found])

    def _liquidations(self, topic: str, category: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        every = [c for c in self._dialect.contracts.values() if c.market == category]
        for at in beats(from_ns, to_ns, _PRINTS_NS):
            found = [(c, p) for c in every for p in self._dialect.shown(c, at - 2 * _PRINTS_NS, at - _PRINTS_NS)]
            if found:
                rows = [self._dialect.liquidation(c, p) for c, p in sorted(found, key=lambda pair: pair[1].ts_ns)]
                yield at, self._pushed("update", topic, at, rows)

    def _trade(self, contract: Listing, p: Print) -> dict[str, str]:
        side = "buy" if p.taker_side is TakerSide.BUY else "sell"
        price, size, at = contract.price(p.price), contract.quantity(p.quantity), str(ms(p.ts_ns))
        if self._new:
            return {"i": str(p.number), "p": price, "v": size, "S": side, "T": at, "L": str(p.number + 1), "isRPI": "no"}
        return {"ts": at, "price": price, "size": size, "side": side, "tradeId": str(p.number)}

    def _pushed(self, action: str, topic: str, at: int, rows: list[dict[str, Any]]) -> str:
        return dumps({"action": action, "arg": self._args[topic], "data": rows, "ts": ms(at)})
