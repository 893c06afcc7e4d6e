"""KuCoin futures, as its documentation says (https://www.kucoin.com/docs-new/).

Where its habits differ from others': no liquidations; quantities are lots of `multiplier` coins, but the day's volume is coins;
the time of the next funding is told as what is left until then; a socket wants a token that is asked for over HTTP; the history
of open interest stands on another host.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from liqscape.model import ContractKind, TakerSide
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
    heard,
    minutes,
    ms,
    recent,
    stamps,
    whole,
)
from liqscape.testing.exchange.listing import Listing
from liqscape.testing.exchange.world import Print
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S

_SIZES = {"BTC": 0.001, "ETH": 0.01, "SOL": 0.1}
_PERIODS = {"5min": 5, "15min": 15, "30min": 30, "1hour": 60, "4hour": 240, "1day": 1_440}
_TOKEN = "2neAiuYvAU61ZDXANAGAsiL4-iAExhsBXZxftpOeh_55i3Ysy2q2LEsEWU64mdzUOPusi34M_wGoSf7iNyEWJ0Ro"
_PING_MS, _PING_TIMEOUT_MS = 18_000, 10_000
_CANDLES = 200
_WEIGHTS = {"contracts/active": 3.0, "kline/query": 3.0, "level2/snapshot": 3.0, "level2/depth100": 5.0, "level2/depth20": 5.0}


class Kucoin(Dialect):
    """api-futures.kucoin.com, its socket, and api.kucoin.com for the history of open interest."""

    key = "kucoin"
    hosts = ("api-futures.kucoin.com", "ws-api-futures.kucoin.com", "api.kucoin.com")

    def listings(self) -> list[Listing]:
        """Return XBTUSDTM for every coin, in lots, and XBTUSDM: one dollar a lot."""
        linear = [
            self.linear(
                "kucoin", f"{venue_coin(coin)}USDTM", coin, "USDT", coins_per_contract=_SIZES.get(coin, 1.0), market="linear"
            )
            for coin in self.world.coins
        ]
        inverse = [self.inverse("kucoin", "XBTUSDM", "BTC", 1.0, market="inverse")] if "BTC" in self.world.coins else []
        return [*linear, *inverse]

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes of the 2,000 weight in 30 s that an address has."""
        return (("public", _WEIGHTS.get(asked.path.removeprefix("/api/v1/"), 2.0), 2000.0, 30.0),)

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer /api/v1/.. and /api/ua/v1/market/.. ."""
        path, symbol = asked.path.removeprefix("/api/v1/"), asked.query.get("symbol", "")
        for prefix in ("contracts/risk-limit/", "contracts/", "mark-price/", "funding-rate/"):
            if path.startswith(prefix) and path != "contracts/active":
                symbol, path = path.removeprefix(prefix).partition("/")[0], prefix
                break
        answers: dict[str, Reader] = {
            "contracts/active": lambda _: [self.contract(c, now_ns) for c in self.contracts.values()],
            "contracts/": lambda c: self.contract(c, now_ns),
            "kline/query": lambda c: self._candles(c, asked, now_ns),
            "mark-price/": lambda c: self._mark(c, now_ns),
            "funding-rate/": lambda c: self._rate(c, now_ns),
            "contract/funding-rates": lambda c: self._funding(c, asked, now_ns),
            "contracts/risk-limit/": self._tiers,
            "level2/snapshot": lambda c: self._book(c, now_ns, 1000),
            "level2/depth20": lambda c: self._book(c, now_ns, 20),
            "level2/depth100": lambda c: self._book(c, now_ns, 100),
            "trade/history": lambda c: [self.trade(c, p) for p in recent(self.world, c, now_ns, 100)[::-1]],
            "timestamp": lambda _: ms(now_ns),
            "/api/ua/v1/market/open-interest": lambda c: self._interest(c, asked, now_ns),
        }
        if path == "bullet-public" and asked.method == "POST":
            return said({"code": "200000", "data": _bullet()})
        if path not in answers:
            return self.missing(asked)
        contract = self.contracts.get(symbol)
        if contract is None and path not in ("contracts/active", "timestamp"):
            return said({"code": "100001", "msg": f"symbol {symbol} not exists"}, 400)
        return said({"code": "200000", "data": answers[path](contract)})

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """Say 429000 with the time left if too fast, 403 for a ban, 503 in maintenance."""
        if refusal is Refusal.LIMITED:
            headers = {"gw-ratelimit-remaining": "0", "gw-ratelimit-reset": str(int(1000 * (wait_s or 1)))}
            return said(
                {"code": "429000", "msg": "Too many requests in a short period of time, please retry later"}, 429, headers
            )
        if refusal is Refusal.BANNED:
            return said({"code": "403", "msg": "Your IP is forbidden for a while"}, 403)
        return said({"code": "300000", "msg": "The system is under maintenance"}, 503)

    def missing(self, asked: Asked) -> Answer:
        """Return the 404 of the venue."""
        return said({"code": "404000", "msg": "Url Not Found"}, 404)

    def contract(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        """Return a contract with its ticker: open interest in lots, the day's volume in coins."""
        quote, tiers, inverse = self.world.ticker(contract, now_ns), self.world.tiers(contract), contract.market == "inverse"
        coin = venue_coin(contract.base)
        return {
            "symbol": contract.symbol,
            "rootSymbol": coin if inverse else "USDT",
            "type": "FFWCSX",
            "firstOpenDate": 1_585_555_200_000,
            "expireDate": None,
            "settleDate": None,
            "baseCurrency": coin,
            "quoteCurrency": contract.quote,
            "settleCurrency": coin if inverse else "USDT",
            "maxOrderQty": 1_000_000,
            "maxPrice": 1_000_000.0,
            "lotSize": 1,
            "tickSize": contract.tick,
            "indexPriceTickSize": contract.tick,
            "multiplier": -1.0 if inverse else contract.contract_size,
            "initialMargin": tiers[0].initial_margin_rate,
            "maintainMargin": tiers[0].maintenance_margin_rate,
            "maxRiskLimit": int(tiers[0].cap),
            "minRiskLimit": int(tiers[0].cap),
            "riskStep": 500_000,
            "makerFeeRate": 0.0002,
            "takerFeeRate": 0.0006,
            "isDeleverage": True,
            "isQuanto": False,
            "isInverse": inverse,
            "markMethod": "FairPrice",
            "fairMethod": "FundingRate",
            "fundingRateSymbol": f".{contract.symbol}FPI8H",
            "indexSymbol": f".K{coin}USDT",
            "status": "Open",
            "fundingFeeRate": quote.funding_rate,
            "predictedFundingFeeRate": round(quote.funding_rate * 1.1, 8),
            "fundingRateGranularity": contract.funding_hours * 3_600_000,
            "openInterest": str(whole(quote.open_interest)),
            "turnoverOf24h": quote.turnover if not inverse else quote.turnover / quote.last,
            "volumeOf24h": contract.base_of(quote.volume, quote.last) if not inverse else quote.volume,
            "markPrice": quote.mark,
            "indexPrice": quote.index,
            "lastTradePrice": quote.last,
            "nextFundingRateTime": ms(quote.next_funding_ns) - ms(now_ns),
            "nextFundingRateDateTime": ms(quote.next_funding_ns),
            "maxLeverage": int(tiers[0].max_leverage),
            "sourceExchanges": ["okex", "binance", "kucoin", "bybit"],
            "lowPrice": quote.last,
            "highPrice": quote.last,
            "priceChgPct": 0.0132,
            "priceChg": 523.4,
            "k": 490.0,
            "m": 300.0,
            "f": 1.3,
            "mmrLimit": 0.3,
        }

    def _candles(self, contract: Listing, asked: Asked, now_ns: int) -> list[list[Any]]:
        step_ns = int(asked.query.get("granularity", "1")) * NS_PER_MINUTE
        rows: list[list[Any]] = []
        for at in stamps(asked.instant("from"), asked.instant("to"), now_ns, step_ns, _CANDLES, newest=False):
            every = minutes(self.world, contract, range(at, at + step_ns, NS_PER_MINUTE))
            edges = [every[0].open, max(c.high for c in every), min(c.low for c in every), every[-1].close]
            rows.append([ms(at), *edges, whole(sum(c.quantity for c in every)), sum(c.turnover for c in every)])
        return rows

    def _mark(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        quote = self.world.ticker(contract, now_ns)
        at = ms(now_ns - now_ns % NS_PER_S)
        return {"symbol": contract.symbol, "granularity": 1000, "timePoint": at, "value": quote.mark, "indexPrice": quote.index}

    def _rate(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        quote, interval_ns = self.world.ticker(contract, now_ns), contract.funding_hours * NS_PER_HOUR
        times = {"granularity": interval_ns // 10**6, "timePoint": ms(quote.next_funding_ns - interval_ns)}
        rates = {"value": quote.funding_rate, "predictedValue": round(quote.funding_rate * 1.1, 8)}
        following = {"fundingTime": ms(quote.next_funding_ns), "fundingRateCap": 0.003, "fundingRateFloor": -0.003, "period": 1}
        return {"symbol": f".{contract.symbol}FPI8H"} | times | rates | following

    def _funding(self, contract: Listing, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        start, end = asked.instant("from"), asked.instant("to")
        last = min(now_ns if end is None else end, now_ns)
        paid = self.world.funding(contract, max(start or 0, last - 100 * NS_PER_DAY), last + 1)[::-1][:100]
        return [{"symbol": contract.symbol, "fundingRate": rate, "timepoint": ms(at)} for at, rate in paid]

    def _tiers(self, contract: Listing) -> list[dict[str, Any]]:
        # Limits of the inverse contract are in BTC.
        unit = self.world.price_of(contract.base) if contract.kind is ContractKind.INVERSE else 1.0
        return [
            {
                "symbol": contract.symbol,
                "level": level,
                "maxRiskLimit": round(tier.cap / unit, 6),
                "minRiskLimit": round(tier.floor / unit, 6),
                "maxLeverage": int(tier.max_leverage),
                "initialMargin": tier.initial_margin_rate,
                "maintainMargin": tier.maintenance_margin_rate,
            }
            for level, tier in enumerate(self.world.tiers(contract), start=1)
        ]

    def _book(self, contract: Listing, now_ns: int, levels: int) -> dict[str, Any]:
        book = self.world.book(contract, now_ns, levels)
        sides = {"asks": [[p, whole(q)] for p, q in book.asks], "bids": [[p, whole(q)] for p, q in book.bids]}
        return {"symbol": contract.symbol, "sequence": ms(book.ts_ns)} | sides | {"ts": book.ts_ns}

    def trade(self, contract: Listing, p: Print) -> dict[str, Any]:
        """Return a trade."""
        side = "buy" if p.taker_side is TakerSide.BUY else "sell"
        head = {"symbol": contract.symbol, "sequence": p.number, "side": side, "size": whole(p.quantity)}
        return head | {"price": contract.price(p.price), "tradeId": str(p.number), "ts": p.ts_ns}

    def _interest(self, contract: Listing, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        step_ns = _PERIODS[asked.query.get("interval", "5min")] * NS_PER_MINUTE
        start, end = asked.instant("startAt"), asked.instant("endAt")
        found = stamps(start, end, now_ns, step_ns, asked.count("pageSize", 30, 200), newest=start is None)
        rows = [(at, self.world.open_interest(contract, at)) for at in found]
        return [{"symbol": contract.symbol, "openInterest": str(whole(value)), "ts": ms(at)} for at, value in rows]

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open the socket with the token."""
        if asked.host != "ws-api-futures.kucoin.com":
            return None
        return _Conversation(self, asked.query.get("connectId", "x"), asked.query.get("token") == _TOKEN, now_ns)


def venue_coin(base: str) -> str:
    """Return the venue's name of a coin: XBT is Bitcoin."""
    return "XBT" if base == "BTC" else base


def _bullet() -> dict[str, Any]:
    server = {"endpoint": "wss://ws-api-futures.kucoin.com/", "encrypt": True, "protocol": "websocket"}
    times = {"pingInterval": _PING_MS, "pingTimeout": _PING_TIMEOUT_MS}
    return {"token": _TOKEN, "instanceServers": [server | times]}


class _Conversation(Topics):
    """Topics /contract/instrument, /contractMarket/tickerV2 and /contractMarket/execution."""

    def __init__(self, dialect: Kucoin, name: str, welcome: bool, now_ns: int) -> None:
        super().__init__()
        self._dialect = dialect
        self._world = dialect.world
        self._name = name
        self._welcome = welcome
        self._pinged_ns = now_ns

    def opening(self, now_ns: int) -> list[Frame]:
        """Welcome, or say that the token is none."""
        if self._welcome:
            return [dumps({"id": self._name, "type": "welcome"})]
        return [dumps({"id": self._name, "type": "error", "code": 401, "data": "token is invalid"})]

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        """Answer ping, subscribe and unsubscribe; several symbols stand behind one topic, with commas."""
        asked = heard(message)
        kind, request, topic = str(asked.get("type", "")), asked.get("id"), str(asked.get("topic", ""))
        if kind == "ping":
            self._pinged_ns = now_ns
            return [dumps({"id": request, "type": "pong"})]
        what, _, symbols = topic.partition(":")
        known = ("/contract/instrument", "/contractMarket/tickerV2", "/contractMarket/execution")
        wanted = symbols.split(",")
        if kind not in ("subscribe", "unsubscribe") or what not in known or any(s not in self._dialect.contracts for s in wanted):
            return [dumps({"id": request, "type": "error", "code": 404, "data": f"topic {topic} is not found"})]
        for symbol in wanted:
            single = f"{what}:{symbol}"
            self.subscribe(single, now_ns) if kind == "subscribe" else self.unsubscribe(single)
        return [dumps({"id": request, "type": "ack"})] if asked.get("response") else []

    def frames(self, from_ns: int, to_ns: int) -> list[tuple[int, Frame]]:
        """Push nothing more once no ping came in time."""
        until = self._pinged_ns + (_PING_MS + _PING_TIMEOUT_MS) * NS_PER_S // 1000
        if to_ns > until or not self._welcome:
            self.hung_up = True
        return super().frames(from_ns, min(to_ns, until))

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield the frames of one topic of one symbol."""
        what, _, symbol = topic.partition(":")
        contract = self._dialect.contracts[symbol]
        if what.endswith("execution"):
            for p in self._world.trades(contract, from_ns, to_ns):
                yield p.ts_ns, self._pushed(topic, "match", self._dialect.trade(contract, p), p.number)
            return
        for at in beats(from_ns, to_ns, self._world.beat_ns):
            quote = self._world.ticker(contract, at)
            if what.endswith("tickerV2"):
                prices = {"bestBidPrice": contract.price(quote.last - contract.tick), "bestAskPrice": contract.price(quote.last)}
                sizes = {"bestBidSize": 260, "bestAskSize": 250, "sequence": ms(at), "ts": at}
                yield at, self._pushed(topic, "tickerV2", {"symbol": symbol} | prices | sizes, ms(at))
                continue
            prices = {"markPrice": quote.mark, "indexPrice": quote.index, "granularity": 1000, "timestamp": ms(at)}
            yield at, self._pushed(topic, "mark.index.price", prices)
            if at % NS_PER_MINUTE == 0:
                rate = {"granularity": 60_000, "fundingRate": quote.funding_rate, "timestamp": ms(at)}
                yield at, self._pushed(topic, "funding.rate", rate)

    def _pushed(self, topic: str, subject: str, data: dict[str, Any], number: int | None = None) -> str:
        numbered = {} if number is None else {"sn": number}
        return dumps({"topic": topic, "type": "message", "subject": subject} | numbered | {"data": data})
