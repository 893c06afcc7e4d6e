"""MEXC futures, as its documentation says (https://www.mexc.com/api-docs/futures/).

Where its habits differ from others': no liquidations, no history of open interest, no ratios; candles come as columns, their
times in seconds, their volume in contracts; margin tiers follow from a first limit and a step; errors hide in a 200; a socket
that is not pinged for a minute is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from liqscape.model import TakerSide
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
    minutes,
    ms,
    recent,
    second_of,
    seconds,
    stamps,
    whole,
)
from liqscape.testing.exchange.listing import Listing, decimals
from liqscape.testing.exchange.world import Print
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

_PATH = "/api/v1/contract/"
_MINUTES = {"Min1": 1, "Min5": 5, "Min15": 15, "Min30": 30, "Min60": 60, "Hour4": 240, "Hour8": 480, "Day1": 1_440}
_SIZES = {"BTC": 0.0001, "ETH": 0.01, "SOL": 0.1}
_POINTS = 2000
_DIES_AFTER_NS = NS_PER_MINUTE  # without a ping
RISK_LEVELS, RISK_STEP_RATE = 5, 0.004  # each level of the margin table adds so much to the rates


class Mexc(Dialect):
    """contract.mexc.com, and its newer name."""

    key = "mexc"
    hosts = ("contract.mexc.com", "api.mexc.com")

    def listings(self) -> list[Listing]:
        """Return BTC_USDT for every coin, in contracts."""
        return [
            self.linear("mexc", f"{coin}_USDT", coin, "USDT", coins_per_contract=_SIZES.get(coin, 1.0))
            for coin in self.world.coins
        ]

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes: 20 in 2 s and endpoint, one list of contracts in 5 s."""
        name = "/".join(part for part in asked.path.removeprefix(_PATH).split("/") if part not in self.contracts)
        return ((name, 1.0, 1.0, 5.0) if name == "detail" else (name, 1.0, 20.0, 2.0),)

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer /api/v1/contract/.. ."""
        if not asked.path.startswith(_PATH):
            return self.missing(asked)
        name, symbol = asked.path.removeprefix(_PATH), asked.query.get("symbol", "")
        head, _, last = name.rpartition("/")
        if head and last != "history":
            name, symbol = head, last
        answers: dict[str, Reader] = {
            "ping": lambda _: ms(now_ns),
            "detail": lambda cs: _one([self.detail(c) for c in cs], symbol),
            "ticker": lambda cs: _one([self.ticker(c, now_ns) for c in cs], symbol),
            "kline": lambda cs: self._candles(cs[0], asked, now_ns, "last"),
            "kline/fair_price": lambda cs: self._candles(cs[0], asked, now_ns, "mark"),
            "kline/index_price": lambda cs: self._candles(cs[0], asked, now_ns, "index"),
            "depth": lambda cs: self._book(cs[0], asked, now_ns),
            "deals": lambda cs: [
                self.deal(cs[0], p) for p in recent(self.world, cs[0], now_ns, asked.count("limit", 100, 100))[::-1]
            ],
            "funding_rate": lambda cs: self._rate(cs[0], now_ns),
            "funding_rate/history": lambda cs: self._funding(cs[0], asked, now_ns),
        }
        if name not in answers:
            return self.missing(asked)
        if symbol and symbol not in self.contracts:
            return said({"success": False, "code": 1001, "message": "Contract does not exist"})
        if not symbol and name not in ("ping", "detail", "ticker"):
            return said({"success": False, "code": 600, "message": "Parameter error"})
        found = answers[name]([self.contracts[symbol]] if symbol else list(self.contracts.values()))
        return said({"success": True, "code": 0, "data": found})

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """Say 510 in a 200 if too fast, 403 for a ban, 501 in maintenance."""
        if refusal is Refusal.LIMITED:
            return said({"success": False, "code": 510, "message": "Requests are too frequent"})
        if refusal is Refusal.BANNED:
            return Answer(403, b"<html><head><title>Access Denied</title></head></html>")
        return said({"success": False, "code": 501, "message": "System busy"}, 503)

    def missing(self, asked: Asked) -> Answer:
        """Return the 404 of the venue."""
        return said({"success": False, "code": 404, "message": "Not Found"}, 404)

    def detail(self, contract: Listing) -> dict[str, Any]:
        """Return a contract; its margin table is written as a first limit, a step, and what each level adds."""
        tier = self.world.tiers(contract)[0]
        limit = round(tier.cap / contract.quote_of(1.0, self.world.price_of(contract.base)))
        return {
            "symbol": contract.symbol,
            "displayName": contract.symbol,
            "displayNameEn": f"{contract.symbol} PERPETUAL",
            "positionOpenType": 3,
            "baseCoin": contract.base,
            "quoteCoin": contract.quote,
            "settleCoin": contract.quote,
            "contractSize": contract.contract_size,
            "minLeverage": 1,
            "maxLeverage": int(tier.max_leverage),
            "priceScale": decimals(contract.tick),
            "volScale": 0,
            "amountScale": 4,
            "priceUnit": contract.tick,
            "volUnit": 1,
            "minVol": 1,
            "maxVol": 1_000_000,
            "bidLimitPriceRate": 0.1,
            "askLimitPriceRate": 0.1,
            "takerFeeRate": 0.0006,
            "makerFeeRate": 0.0002,
            "maintenanceMarginRate": tier.maintenance_margin_rate,
            "initialMarginRate": tier.initial_margin_rate,
            "riskBaseVol": limit,
            "riskIncrVol": limit,
            "riskIncrMmr": RISK_STEP_RATE,
            "riskIncrImr": RISK_STEP_RATE,
            "riskLevelLimit": RISK_LEVELS,
            "riskLimitType": "BY_VOLUME",
            "priceCoefficientVariation": 0.1,
            "indexOrigin": ["BINANCE", "GATEIO", "HUOBI", "MXC"],
            "state": 0,
            "isNew": False,
            "isHot": True,
            "isHidden": False,
            "apiAllowed": False,
        }

    def ticker(self, contract: Listing, ts_ns: int) -> dict[str, Any]:
        """Return a ticker; `holdVol` is open interest in contracts."""
        quote = self.world.ticker(contract, ts_ns)
        return {
            "contractId": 10,
            "symbol": contract.symbol,
            "lastPrice": quote.last,
            "bid1": quote.last - contract.tick,
            "ask1": quote.last + contract.tick,
            "volume24": whole(quote.volume),
            "amount24": round(quote.turnover, 4),
            "holdVol": whole(quote.open_interest),
            "lower24Price": quote.last,
            "high24Price": quote.last,
            "riseFallRate": 0.0275,
            "riseFallValue": 95.95,
            "indexPrice": quote.index,
            "fairPrice": quote.mark,
            "fundingRate": quote.funding_rate,
            "maxBidPrice": quote.last * 1.1,
            "minAskPrice": quote.last * 0.9,
            "timestamp": ms(ts_ns),
            "riseFallRates": {"zone": "UTC+8", "r": 0.0275, "v": 95.95},
        }

    def _candles(self, contract: Listing, asked: Asked, now_ns: int, price: str) -> dict[str, list[Any]]:
        step_ns = _MINUTES[asked.query.get("interval", "Min1")] * NS_PER_MINUTE
        start, end = second_of(asked, "start"), second_of(asked, "end")
        names = ("time", "open", "close", "high", "low", "vol", "amount", "realOpen", "realClose", "realHigh", "realLow")
        columns: dict[str, list[Any]] = {name: [] for name in names}
        for at in stamps(start, end, now_ns, step_ns, _POINTS, newest=True):
            every = minutes(self.world, contract, range(at, at + step_ns, NS_PER_MINUTE), price)
            edges = {"Open": every[0].open, "Close": every[-1].close}
            edges |= {"High": max(c.high for c in every), "Low": min(c.low for c in every)}
            columns["time"].append(seconds(at))
            for name, value in edges.items():
                columns[name.lower()].append(value)
                columns[f"real{name}"].append(value)
            columns["vol"].append(sum(c.quantity for c in every))
            columns["amount"].append(round(sum(c.turnover for c in every), 8))
        return columns

    def _book(self, contract: Listing, asked: Asked, now_ns: int) -> dict[str, Any]:
        book = self.world.book(contract, now_ns, asked.count("limit", 1000, 1000))
        sides = {"asks": [[p, whole(q), 1] for p, q in book.asks], "bids": [[p, whole(q), 1] for p, q in book.bids]}
        return sides | {"version": seconds(book.ts_ns), "timestamp": ms(book.ts_ns)}

    def deal(self, contract: Listing, p: Print) -> dict[str, Any]:
        """Return a trade: T 1 buys and 2 sells, O 1 opens a position, 2 closes one, 3 neither."""
        side = 1 if p.taker_side is TakerSide.BUY else 2
        head = {"p": p.price, "v": whole(p.quantity), "T": side, "O": 2 if p.bankruptcy else 1 + p.number % 3, "M": 2}
        return head | {"t": ms(p.ts_ns), "i": str(p.number)}

    def _rate(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        quote = self.world.ticker(contract, now_ns)
        limits = {"maxFundingRate": 0.003, "minFundingRate": -0.003, "collectCycle": contract.funding_hours}
        times = {"nextSettleTime": ms(quote.next_funding_ns), "timestamp": ms(now_ns)}
        return {"symbol": contract.symbol, "fundingRate": quote.funding_rate} | limits | times

    def _funding(self, contract: Listing, asked: Asked, now_ns: int) -> dict[str, Any]:
        size, page = asked.count("page_size", 20, 100), int(asked.query.get("page_num") or 1)
        paid = self.world.funding(contract, now_ns - 3000 * NS_PER_HOUR, now_ns + 1)[::-1]
        cycle = {"collectCycle": contract.funding_hours}
        rows = [
            {"symbol": contract.symbol, "fundingRate": rate, "settleTime": ms(at)} | cycle
            for at, rate in paid[size * (page - 1) : size * page]
        ]
        pages = {"pageSize": size, "totalCount": len(paid), "totalPage": -(-len(paid) // size), "currentPage": page}
        return pages | {"resultList": rows}

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open /edge."""
        return _Conversation(self, now_ns) if asked.path == "/edge" else None


def _one(rows: list[dict[str, Any]], symbol: str) -> Any:
    return rows[0] if symbol else rows


class _Conversation(Topics):
    """Channels ticker, tickers, deal, funding.rate, index.price and fair.price."""

    def __init__(self, dialect: Mexc, now_ns: int) -> None:
        super().__init__()
        self._dialect = dialect
        self._world = dialect.world
        self._pinged_ns = now_ns

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        """Answer ping, sub and unsub."""
        asked = heard(message)
        given: Any = asked.get("param") or {}
        method, symbol = str(asked.get("method", "")), str(given.get("symbol", ""))
        if method == "ping":
            self._pinged_ns = now_ns
            return [dumps({"channel": "pong", "data": ms(now_ns)})]
        verb, _, what = method.partition(".")
        if verb not in ("sub", "unsub") or what not in (
            "ticker",
            "tickers",
            "deal",
            "funding.rate",
            "index.price",
            "fair.price",
        ):
            return [dumps({"channel": "rs.error", "data": f"Method not found: {method}", "ts": ms(now_ns)})]
        if what != "tickers" and symbol not in self._dialect.contracts:
            return [dumps({"channel": "rs.error", "data": "Contract doesn't exist!", "ts": ms(now_ns)})]
        topic = f"{what} {symbol}"
        self.subscribe(topic, now_ns) if verb == "sub" else self.unsubscribe(topic)
        return [dumps({"channel": f"rs.{method}", "data": "success", "ts": ms(now_ns)})]

    def frames(self, from_ns: int, to_ns: int) -> list[tuple[int, Frame]]:
        """Push nothing more once no ping came for a minute."""
        until = self._pinged_ns + _DIES_AFTER_NS
        if to_ns > until:
            self.hung_up = True
        return super().frames(from_ns, min(to_ns, until))

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield the frames of one channel."""
        what, _, symbol = topic.partition(" ")
        if what == "deal":
            every = [self._dialect.contracts[symbol]]
            for at, found in batched(self._world, every, from_ns, to_ns, self._world.beat_ns, forced=False):
                yield at, self._pushed(what, symbol, at, [self._dialect.deal(c, p) for c, p in found])
            return
        for at in beats(from_ns, to_ns, self._world.beat_ns):
            yield at, self._pushed(what, symbol, at, self._told(what, symbol, at))

    def _told(self, what: str, symbol: str, at: int) -> Any:
        if what == "tickers":
            names = ("symbol", "lastPrice", "volume24", "riseFallRate", "fairPrice")
            rows = [self._dialect.ticker(c, at) for c in self._dialect.contracts.values()]
            return [{name: row[name] for name in names} for row in rows]
        contract = self._dialect.contracts[symbol]
        quote = self._world.ticker(contract, at)
        if what == "ticker":
            return self._dialect.ticker(contract, at)
        if what == "funding.rate":
            return {"rate": quote.funding_rate, "symbol": symbol, "nextSettleTime": ms(quote.next_funding_ns)}
        return {"price": quote.index if what == "index.price" else quote.mark, "symbol": symbol}

    def _pushed(self, what: str, symbol: str, at: int, data: Any) -> str:
        named = {"symbol": symbol} if symbol else {}
        return dumps({"channel": f"push.{what}", "data": data, "ts": ms(at)} | named)
