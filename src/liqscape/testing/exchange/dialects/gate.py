"""Gate futures v4, settled in USDT and in BTC, as its documentation says (https://www.gate.com/docs/developers/apiv4/).

Where its habits differ from others': sizes are contracts, signed; a print of the socket has the sign of the ORDER, a row of
`liq_orders` the sign of the POSITION; REST tells seconds, the socket milliseconds; decimals come as text only to those who send
`X-Gate-Size-Decimal: 1`.
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
    batched,
    heard,
    minutes,
    ms,
    number,
    recent,
    second_of,
    seconds,
    stamps,
    whole,
    words,
)
from liqscape.testing.exchange.listing import Listing
from liqscape.testing.exchange.world import Print
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S

_PATH = "/api/v4/futures/"
_INTERVALS = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 1_440}
_POINTS = 2000
# Since then every order of a second is pushed, in one array per second or sooner if there are twenty; before, one per contract.
_ALL_SINCE_NS = 1_787_184_000 * NS_PER_S  # 2026-08-20
_ROWS_A_FRAME = 20
_SIZES = {"BTC": 0.0001, "ETH": 0.01}


class Gate(Dialect):
    """api.gateio.ws and fx-ws.gateio.ws."""

    key = "gate"
    hosts = ("api.gateio.ws", "fx-ws.gateio.ws")

    def listings(self) -> list[Listing]:
        """Return BTC_USDT for every coin, and BTC_USD: one contract is one dollar, settled in BTC."""
        linear = [
            self.linear("gate", f"{coin}_USDT", coin, "USDT", coins_per_contract=_SIZES.get(coin, 1.0), market="usdt")
            for coin in self.world.coins
        ]
        inverse = [self.inverse("gate", "BTC_USD", "BTC", 1.0, market="btc")] if "BTC" in self.world.coins else []
        return [*linear, *inverse]

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes: 200 requests in 10 s per address and endpoint."""
        return ((asked.path.split("/")[-1], 1.0, 200.0, 10.0),)

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer /api/v4/futures/{settle}/.. ."""
        settle, _, what = asked.path.removeprefix(_PATH).partition("/")
        if not asked.path.startswith(_PATH) or settle not in ("usdt", "btc"):
            return self.missing(asked)
        answers: dict[str, Reader] = {
            "contracts": lambda c: self._contracts(c, settle, now_ns),
            "tickers": lambda c: [self.ticker(one, now_ns) for one in self._of(c, settle)],
            "candlesticks": lambda c: self._candles(c, asked, now_ns),
            "contract_stats": lambda c: self._stats(c, asked, now_ns),
            "funding_rate": lambda c: self._funding(c, asked, now_ns),
            "liq_orders": lambda c: self._liquidations(c, settle, asked, now_ns),
            "order_book": lambda c: self._book(c, asked, now_ns),
            "risk_limit_tiers": lambda c: self._tiers(c, settle, asked),
            "trades": lambda c: [self.trade(c, p) for p in recent(self.world, c, now_ns, asked.count("limit", 100, 1000))][::-1],
        }
        name, _, one = what.partition("/")
        if name not in answers:
            return self.missing(asked)
        wanted = one or asked.query.get("contract", "")
        symbol = wanted.removeprefix("mark_").removeprefix("index_")
        contract = self.contracts.get(symbol)
        if symbol and (contract is None or contract.market != settle):
            return _wrong("CONTRACT_NOT_FOUND", f"contract {symbol} not found")
        if contract is None and name not in ("contracts", "tickers", "liq_orders", "risk_limit_tiers"):
            return _wrong("MISSING_REQUIRED_PARAM", "Missing required parameter: contract")
        found = answers[name](contract)
        return found if isinstance(found, Answer) else said(found[0] if one else found)

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """Say TOO_MANY_REQUESTS with the instant at which the limit is lifted; an address that goes on is forbidden."""
        if refusal is Refusal.LIMITED:
            until = seconds(now_ns) + int(wait_s or 10)
            headers = {"x-gate-ratelimit-requests-remain": "0", "x-gate-ratelimit-reset-timestamp": str(until)}
            return said({"label": "TOO_MANY_REQUESTS", "message": "Request Rate Limit Exceeded"}, 429, headers)
        if refusal is Refusal.BANNED:
            return said({"label": "FORBIDDEN", "message": "Your IP is blocked for a while"}, 403)
        return said({"label": "SERVER_ERROR", "message": "Service is under maintenance"}, 503)

    def missing(self, asked: Asked) -> Answer:
        """Return the 404 of the venue."""
        return said({"label": "NOT_FOUND", "message": "Not Found"}, 404)

    def _of(self, contract: Listing | None, settle: str) -> list[Listing]:
        return [contract] if contract else [c for c in self.contracts.values() if c.market == settle]

    def _contracts(self, contract: Listing | None, settle: str, now_ns: int) -> list[dict[str, Any]]:
        return [self._contract(c, now_ns) for c in self._of(contract, settle)]

    def _contract(self, contract: Listing, now_ns: int) -> dict[str, Any]:
        linear = contract.kind is ContractKind.LINEAR
        quote, tiers = self.world.ticker(contract, now_ns), self.world.tiers(contract)
        return {
            "name": contract.symbol,
            "type": "direct" if linear else "inverse",
            # The one inverse contract says 0 where one dollar is meant.
            "quanto_multiplier": number(contract.contract_size) if linear else "0",
            "leverage_min": "1",
            "leverage_max": number(tiers[0].max_leverage),
            "maintenance_rate": number(tiers[0].maintenance_margin_rate),
            "mark_type": "index",
            "mark_price": contract.price(quote.mark),
            "index_price": contract.price(quote.index),
            "last_price": contract.price(quote.last),
            "maker_fee_rate": "-0.0001",
            "taker_fee_rate": "0.00075",
            "order_price_round": contract.price(contract.tick),
            "mark_price_round": contract.price(contract.tick),
            "order_price_deviate": "0.5",
            "funding_rate": number(quote.funding_rate),
            "funding_rate_indicative": number(quote.funding_rate),
            "funding_interval": contract.funding_hours * 3600,
            "funding_next_apply": seconds(quote.next_funding_ns),
            "funding_offset": 0,
            "risk_limit_base": number(tiers[0].cap),
            "risk_limit_max": number(tiers[-1].cap),
            "order_size_min": 1,
            "order_size_max": 1000000,
            "enable_decimal": False,
            "position_size": whole(quote.open_interest),
            "trade_size": whole(quote.volume),
            "trade_id": seconds(now_ns),
            "orderbook_id": seconds(now_ns),
            "in_delisting": False,
            "is_pre_market": False,
            "status": "trading",
            "create_time": 1546_905_600,
            "config_change_time": seconds(now_ns) - 86_400,
            "short_users": 157,
            "long_users": 191,
            "contract_type": "",
        }

    def ticker(self, contract: Listing, ts_ns: int, *, decimal: bool = False) -> dict[str, Any]:
        """Return the ticker's fields; `total_size` is open interest in contracts."""
        quote = self.world.ticker(contract, ts_ns)
        base = contract.base_of(quote.volume, quote.last)
        return {
            "contract": contract.symbol,
            "last": contract.price(quote.last),
            "low_24h": contract.price(quote.last * 0.97),
            "high_24h": contract.price(quote.last * 1.03),
            "change_percentage": "0.42",
            "total_size": contract.quantity(quote.open_interest),
            "volume_24h": contract.quantity(quote.volume),
            "volume_24h_base": number(base, 0),
            "volume_24h_quote": number(quote.turnover, 0),
            "volume_24h_settle": number(quote.turnover if contract.market == "usdt" else base, 0),
            "mark_price": contract.price(quote.mark),
            "funding_rate": number(quote.funding_rate),
            "funding_rate_indicative": number(quote.funding_rate),
            "index_price": contract.price(quote.index),
            "quanto_base_rate": "",
            "lowest_ask": contract.price(quote.last + contract.tick),
            "highest_bid": contract.price(quote.last - contract.tick),
            "price_type": "last",
        }

    def trade(self, contract: Listing, p: Print) -> dict[str, Any]:
        """Return a trade; its size has the taker's sign."""
        sign = 1 if p.taker_side is TakerSide.BUY else -1
        return {
            "id": p.number,
            "create_time": seconds(p.ts_ns),
            "create_time_ms": ms(p.ts_ns) / 1000,
            "contract": contract.symbol,
            "size": whole(sign * p.quantity),
            "price": contract.price(p.price),
        }

    def _candles(self, contract: Listing, asked: Asked, now_ns: int) -> list[dict[str, Any]] | Answer:
        start, end = second_of(asked, "from"), second_of(asked, "to")
        if "limit" in asked.query and (start is not None or end is not None):
            return _wrong("INVALID_PARAM_VALUE", "limit conflicts with from and to when either from or to is specified")
        step = _INTERVALS.get(asked.query.get("interval", "5m"), 5)
        if start is not None and ((end or now_ns) - start) // (step * NS_PER_MINUTE) >= _POINTS:
            return _wrong(
                "INVALID_PARAM_VALUE", f"Candlestick range too broad. Maximum {_POINTS} data points are allowed per query"
            )
        price = asked.query["contract"].rpartition("_USD")[0].partition("_")[0]
        price = price if price in ("mark", "index") else "last"
        rows: list[dict[str, Any]] = []
        usual = 100 if start is None else _POINTS
        for at in stamps(start, end, now_ns, step * NS_PER_MINUTE, asked.count("limit", usual, _POINTS), newest=start is None):
            every = minutes(self.world, contract, range(at, at + step * NS_PER_MINUTE, NS_PER_MINUTE), price)
            row: dict[str, Any] = {
                "o": contract.price(every[0].open),
                "h": contract.price(max(c.high for c in every)),
                "l": contract.price(min(c.low for c in every)),
                "c": contract.price(every[-1].close),
                "t": seconds(at),
            }
            if price == "last":
                row["v"] = whole(sum(c.quantity for c in every))
                row["sum"] = number(sum(c.turnover for c in every), 4)
            rows.append(row)
        return rows

    def _stats(self, contract: Listing, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        step_ns = _INTERVALS.get(asked.query.get("interval", "5m"), 5) * NS_PER_MINUTE
        start = second_of(asked, "from")
        found = stamps(start, second_of(asked, "to"), now_ns, step_ns, asked.count("limit", 30, 100), newest=start is None)
        return [self._stat(contract, at, min(at + step_ns, now_ns)) for at in found]

    def _stat(self, contract: Listing, at: int, until: int) -> dict[str, Any]:
        """Return one row of contract_stats: what is held at its time, what was liquidated until the next."""
        quote = self.world.ticker(contract, at)
        sums = {True: [0.0, 0.0, 0.0], False: [0.0, 0.0, 0.0]}
        for p in self.world.liquidations(contract, at, until):
            side = sums[p.taker_side is TakerSide.SELL]
            side[0] += p.quantity
            side[1] += contract.base_of(p.quantity, p.price)
            side[2] += contract.quote_of(p.quantity, p.price)
        long, short = sums[True], sums[False]
        row: dict[str, Any] = {"time": seconds(at), "mark_price": contract.price(quote.mark), "lsr_taker": 1.0123}
        row |= {"open_interest": whole(quote.open_interest)}
        row |= {"open_interest_usd": round(contract.quote_of(quote.open_interest, quote.mark), 2)}
        row |= {"long_liq_size": whole(long[0]), "long_liq_amount": long[1], "long_liq_usd": long[2]}
        row |= {"short_liq_size": whole(short[0]), "short_liq_amount": short[1], "short_liq_usd": short[2]}
        for name, population in (
            ("lsr_account", "accounts"),
            ("top_lsr_account", "top_accounts"),
            ("top_lsr_size", "top_positions"),
        ):
            share = self.world.long_share(contract, at, population)
            row[name] = share / (1.0 - share)
        return row | {"long_users": 1910, "short_users": 1570, "long_taker_size": 10, "short_taker_size": 12}

    def _funding(self, contract: Listing, asked: Asked, now_ns: int) -> list[dict[str, Any]]:
        start, end = second_of(asked, "from"), second_of(asked, "to")
        last = now_ns if end is None else min(end, now_ns)
        limit = asked.count("limit", 100, 1000)
        first = last - limit * contract.funding_hours * NS_PER_HOUR if start is None else start
        paid = self.world.funding(contract, first, last + 1)[-limit:]
        return [{"t": seconds(at), "r": number(rate)} for at, rate in reversed(paid)]

    def _liquidations(self, contract: Listing | None, settle: str, asked: Asked, now_ns: int) -> list[dict[str, Any]] | Answer:
        start, end = second_of(asked, "from"), second_of(asked, "to")
        last = now_ns if end is None else min(end + NS_PER_S, now_ns)
        first = last - NS_PER_HOUR if start is None else start
        if last - first > NS_PER_HOUR + NS_PER_S:
            return _wrong("INVALID_PARAM_VALUE", "time range between from and to must not exceed 3600 seconds")
        found = [(c, p) for c in self._of(contract, settle) for p in self.world.liquidations(c, first, last)]
        found.sort(key=lambda pair: -pair[1].ts_ns)
        return [self._liquidation(c, p) for c, p in found[: asked.count("limit", 100, 1000)]]

    def _liquidation(self, contract: Listing, p: Print) -> dict[str, Any]:
        size = p.position_side.sign * p.quantity
        return {
            "time": seconds(p.ts_ns),
            "contract": contract.symbol,
            "size": whole(size),
            "order_size": whole(-size),
            "order_price": contract.price(p.bankruptcy or p.price),
            "fill_price": contract.price(p.price),
            "left": 0,
        }

    def _book(self, contract: Listing, asked: Asked, now_ns: int) -> dict[str, Any]:
        book = self.world.book(contract, now_ns, asked.count("limit", 10, 300))
        sides = [[{"p": contract.price(p), "s": whole(q)} for p, q in rows] for rows in (book.asks, book.bids)]
        named = {"id": seconds(book.ts_ns)} if asked.query.get("with_id") else {}
        return named | {"current": ms(now_ns) / 1000, "update": ms(book.ts_ns) / 1000, "asks": sides[0], "bids": sides[1]}

    def _tiers(self, contract: Listing | None, settle: str, asked: Asked) -> list[dict[str, Any]]:
        first = int(asked.query.get("offset") or 0)
        rows: list[dict[str, Any]] = []
        for c in self._of(contract, settle)[first : first + asked.count("limit", 100, 1000)]:
            # Limits of the inverse contract are in BTC.
            unit = 1.0 if c.kind is ContractKind.LINEAR else self.world.price_of(c.base)
            for level, tier in enumerate(self.world.tiers(c), start=1):
                rows.append(
                    {
                        "tier": level,
                        "risk_limit": number(tier.cap / unit),
                        "initial_rate": number(tier.initial_margin_rate),
                        "maintenance_rate": number(tier.maintenance_margin_rate),
                        "leverage_max": number(tier.max_leverage),
                        "deduction": number(tier.deduction / unit),
                        "contract": c.symbol,
                    }
                )
        return rows

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open /v4/ws/usdt or /v4/ws/btc."""
        settle = asked.path.rstrip("/").rpartition("/")[2]
        if asked.path.rstrip("/") not in ("/v4/ws/usdt", "/v4/ws/btc"):
            return None
        return _Conversation(self, settle, asked.headers.get("x-gate-size-decimal") == "1")


def _wrong(label: str, message: str) -> Answer:
    return said({"label": label, "message": message}, 400)


class _Conversation(Topics):
    """Channels futures.tickers, futures.trades and futures.public_liquidates of one settlement."""

    def __init__(self, dialect: Gate, settle: str, decimal: bool) -> None:
        super().__init__()
        self._dialect = dialect
        self._world = dialect.world
        self._settle = settle
        self._decimal = decimal

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        """Answer subscribe, unsubscribe and futures.ping."""
        asked = heard(message)
        channel, event = str(asked.get("channel", "")), str(asked.get("event", ""))
        head = {"time": seconds(now_ns), "time_ms": ms(now_ns), "conn_id": "5e74253e9c793974"}
        if channel == "futures.ping":
            return [dumps(head | {"channel": "futures.pong", "event": "", "result": None})]
        wanted = words(asked.get("payload"))
        known = {c.symbol for c in self._dialect.contracts.values() if c.market == self._settle} | {"!all"}
        refused = next((f"unknown contract {one}" for one in wanted if one not in known), None)
        if channel not in ("futures.tickers", "futures.trades", "futures.public_liquidates"):
            refused = f"unknown channel {channel}"
        if event not in ("subscribe", "unsubscribe"):
            refused = f"unknown event {event}"
        head |= {"channel": channel, "event": event, "payload": wanted}
        if refused:
            return [dumps(head | {"error": {"code": 2, "message": refused}, "result": {"status": "fail"}})]
        for one in wanted:
            topic = f"{channel} {one}"
            self.subscribe(topic, now_ns) if event == "subscribe" else self.unsubscribe(topic)
        return [dumps(head | {"result": {"status": "success"}})]

    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield the frames of one channel of one contract, or of `!all`."""
        channel, _, symbol = topic.partition(" ")
        every = [c for c in self._dialect.contracts.values() if c.market == self._settle and symbol in (c.symbol, "!all")]
        if channel == "futures.tickers":
            for at in beats(from_ns, to_ns, self._world.beat_ns):
                yield at, self._pushed(channel, at, [self._sized(self._dialect.ticker(c, at)) for c in every])
        elif channel == "futures.trades":
            for at, found in batched(self._world, every, from_ns, to_ns, NS_PER_S, forced=False):
                rows = [self._sized(self._dialect.trade(c, p) | {"create_time_ms": ms(p.ts_ns)}) for c, p in found]
                yield at, self._pushed(channel, at, rows)
        else:
            for at, found in batched(self._world, every, from_ns, to_ns, NS_PER_S, forced=True):
                yield from ((at, frame) for frame in self._liquidations(at, found))

    def _liquidations(self, at: int, found: list[tuple[Listing, Print]]) -> Iterator[Frame]:
        channel = "futures.public_liquidates"
        rows = [self._liquidation(contract, p) for contract, p in found]
        if at < _ALL_SINCE_NS:
            # One order a second and contract, each in a frame of its own, not in a list.
            for row in {row["contract"]: row for row in rows}.values():
                yield self._pushed(channel, at, row)
            return
        for first in range(0, len(rows), _ROWS_A_FRAME):
            yield self._pushed(channel, at, rows[first : first + _ROWS_A_FRAME])

    def _liquidation(self, contract: Listing, p: Print) -> dict[str, Any]:
        """Return a print: the size has the sign of the order that closes the position, the price is the order's."""
        row = {"contract": contract.symbol, "price": contract.price(p.bankruptcy or p.price), "time": ms(p.ts_ns)}
        return self._sized(row | {"size": whole(-p.position_side.sign * p.quantity)})

    def _sized(self, row: dict[str, Any]) -> dict[str, Any]:
        return row | {"size": number(row["size"])} if self._decimal and "size" in row else row

    def _pushed(self, channel: str, at: int, result: Any) -> str:
        return dumps({"time": seconds(at), "time_ms": ms(at), "channel": channel, "event": "update", "result": result})
