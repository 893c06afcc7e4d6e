"""What Hyperliquid's info endpoint answers: markets, accounts and fills."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import msgspec

from liqscape.model import ContractKind, PositionSide, TakerSide
from liqscape.testing.exchange.dialect import Answer, Asked, Cost, Dialect, Refusal, said
from liqscape.testing.exchange.dialects.common import mark_of, minutes, ms, number, recent, stamps
from liqscape.testing.exchange.dialects.hyperliquid_accounts import (
    POOL,
    POOL_PARTS,
    Account,
    Accounts,
    Holding,
    isolated_margin,
    liquidation_price,
    maintenance_rate,
    max_leverage,
)
from liqscape.testing.exchange.listing import NS_PER_MS, Listing, usual_tick
from liqscape.testing.exchange.world import Print
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

_STEPS = {"BTC": 0.00001, "ETH": 0.0001, "SOL": 0.01}
_TABLES = {"BTC": (56, 150e6, 20), "ETH": (55, 100e6, 15), "SOL": (54, 70e6, 10)}
_CANDLES, _FUNDINGS, _LEVELS, _FILLS = 5000, 500, 20, 2000
_LIGHT = ("l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState", "exchangeStatus")
_MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 1_440}
_NOT_READ = Answer(422, b"Failed to deserialize the JSON body into the target type")
_NULL = Answer(500, b"null")


class HyperliquidInfo(Dialect):
    """POST /info, and the leaderboard of the statistics host."""

    accounts: Accounts

    def listings(self) -> list[Listing]:
        """Return every coin by its name, against USDC, in coins."""
        found: list[Listing] = []
        for coin in self.world.coins:
            tick = usual_tick(self.world.price_of(coin))
            found.append(Listing("hyperliquid", coin, coin, "USDC", ContractKind.LINEAR, 1.0, _STEPS.get(coin, 1.0), tick, 1))
        self.accounts = Accounts(self.world, found)
        self._merged = lru_cache(maxsize=64)(self._merge)
        return found

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes of 1,200 weight a minute and address: 2, 20 or 60, and some by length."""
        if asked.host != "api.hyperliquid.xyz":
            return ()
        body = _body(asked)
        kind = str(body.get("type", ""))
        weight = 2.0 if kind in _LIGHT else 60.0 if kind == "userRole" else 20.0
        if kind == "candleSnapshot":
            wanted: Any = body.get("req") or {}
            span_ms = int(wanted.get("endTime") or 0) - int(wanted.get("startTime") or 0)
            weight += min(_CANDLES, max(0, span_ms // 60_000)) // 60
        if kind == "fundingHistory" and body.get("endTime"):
            weight += min(_FUNDINGS, (int(body["endTime"]) - int(body.get("startTime") or 0)) // 3_600_000) // 20
        return (("ip", weight, 1200.0, 60.0),)

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer an info request or the leaderboard."""
        if asked.host == "stats-data.hyperliquid.xyz":
            return said(self._leaderboard(now_ns)) if asked.path == "/Mainnet/leaderboard" else self.missing(asked)
        if asked.path != "/info":
            return self.missing(asked)
        body = _body(asked)
        answers: dict[str, Callable[[], Any]] = {
            "meta": self.meta,
            "allPerpMetas": lambda: [self.meta()],
            "perpDexs": lambda: [None],
            "metaAndAssetCtxs": lambda: [self.meta(), self.contexts(now_ns)],
            "allMids": lambda: {c.symbol: c.price(self.world.ticker(c, now_ns).last) for c in self.contracts.values()},
            "candleSnapshot": lambda: self._candles(cast("dict[str, Any]", body.get("req") or {}), now_ns),
            "fundingHistory": lambda: self._funding(body, now_ns),
            "l2Book": lambda: self.book(self.contracts[str(body["coin"])], now_ns, body.get("nSigFigs"), body.get("mantissa")),
            "recentTrades": lambda: self.recent(self.contracts[str(body["coin"])], now_ns),
            "clearinghouseState": lambda: self.state(str(body["user"]), now_ns),
            "batchClearinghouseStates": lambda: [self.state(str(user), now_ns) for user in body["users"]],
            "spotClearinghouseState": lambda: {"balances": []},
            "vaultDetails": lambda: self._vault(str(body["vaultAddress"])),
            "userFills": lambda: self.fills(str(body["user"]), now_ns - 2 * NS_PER_HOUR, now_ns)[::-1],
            "userFillsByTime": lambda: self.fills(
                str(body["user"]), int(body["startTime"]) * NS_PER_MS, int(body.get("endTime") or ms(now_ns)) * NS_PER_MS + 1
            ),
            "exchangeStatus": lambda: {"time": ms(now_ns), "specialStatuses": None},
        }
        answer = answers.get(str(body.get("type", "")))
        if answer is None or asked.method != "POST":
            return _NOT_READ
        user = body.get("user", body.get("vaultAddress", "0x" + "0" * 40))
        if not (isinstance(user, str) and user.startswith("0x") and len(user) == 42):
            return _NOT_READ
        try:
            return said(answer())
        except KeyError:
            # A coin that is none.
            return _NULL

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """Say null in a 429 if too fast, 403 for a ban, 502 in maintenance."""
        if refusal is Refusal.LIMITED:
            return Answer(429, b"null")
        if refusal is Refusal.BANNED:
            return Answer(403, b"<html><head><title>403 Forbidden</title></head></html>")
        return Answer(502, b"<html><head><title>502 Bad Gateway</title></head></html>")

    def missing(self, asked: Asked) -> Answer:
        """Return the 404 of the venue."""
        return Answer(404, b"404 page not found")

    # Markets

    def meta(self) -> dict[str, Any]:
        """Return the universe; a coin that was taken off stands between the others and keeps its place in every list."""
        universe: list[dict[str, Any]] = []
        tables: list[list[Any]] = []
        for contract in self.contracts.values():
            most = max_leverage(contract.base)
            number_, bound, then = _TABLES.get(contract.base, (most, 0.0, 0))
            decimals = round(-math.log10(contract.step)) if contract.step < 1.0 else 0
            universe.append({"szDecimals": decimals, "name": contract.symbol, "maxLeverage": most, "marginTableId": number_})
            if then:
                tiers = [{"lowerBound": "0.0", "maxLeverage": most}, {"lowerBound": f"{bound:.1f}", "maxLeverage": then}]
                tables.append([number_, {"description": f"tiered {most}x", "marginTiers": tiers}])
        gone = {"szDecimals": 1, "name": "MATIC", "maxLeverage": 20, "marginTableId": 20, "isDelisted": True}
        tables.append([20, {"description": "", "marginTiers": [{"lowerBound": "0.0", "maxLeverage": 20}]}])
        return {"universe": [universe[0], gone, *universe[1:]], "marginTables": tables, "collateralToken": 0}

    def contexts(self, now_ns: int) -> list[dict[str, Any]]:
        """Return the contexts in the order of the universe."""
        found = [self.context(c, now_ns) for c in self.contracts.values()]
        dead: dict[str, Any] = {"funding": "0.0", "openInterest": "0.0", "prevDayPx": "0.37621", "dayNtlVlm": "0.0"}
        dead |= {
            "premium": None,
            "oraclePx": "0.3754",
            "markPx": "0.37621",
            "midPx": None,
            "impactPxs": None,
            "dayBaseVlm": "0.0",
        }
        return [found[0], dead, *found[1:]]

    def context(self, contract: Listing, ts_ns: int) -> dict[str, Any]:
        """Return a coin's context: open interest in coins, funding as a rate per hour."""
        quote = self.world.ticker(contract, ts_ns)
        return {
            "funding": number(quote.funding_rate, 10),
            "openInterest": number(quote.open_interest),
            "prevDayPx": contract.price(quote.last),
            "dayNtlVlm": number(quote.turnover, 6),
            "premium": number(quote.mark / quote.index - 1.0, 10),
            "oraclePx": contract.price(quote.index),
            "markPx": contract.price(quote.mark),
            "midPx": contract.price(quote.last),
            "impactPxs": [contract.price(quote.last - contract.tick), contract.price(quote.last + contract.tick)],
            "dayBaseVlm": number(quote.volume),
        }

    def _candles(self, wanted: dict[str, Any], now_ns: int) -> list[dict[str, Any]]:
        contract, interval = self.contracts[str(wanted["coin"])], str(wanted["interval"])
        step_ns = _MINUTES[interval] * NS_PER_MINUTE
        start, end = int(wanted["startTime"]) * NS_PER_MS, int(wanted.get("endTime") or ms(now_ns)) * NS_PER_MS
        oldest = now_ns - now_ns % step_ns - (_CANDLES - 1) * step_ns  # no candle before is kept
        rows: list[dict[str, Any]] = []
        for at in stamps(max(start, oldest), end, now_ns, step_ns, _CANDLES, newest=False):
            every = minutes(self.world, contract, range(at, at + step_ns, NS_PER_MINUTE))
            row = {"t": ms(at), "T": ms(at + step_ns) - 1, "s": contract.symbol, "i": interval}
            row |= {"o": contract.price(every[0].open), "c": contract.price(every[-1].close)}
            row |= {"h": contract.price(max(c.high for c in every)), "l": contract.price(min(c.low for c in every))}
            rows.append(row | {"v": number(sum(c.base for c in every)), "n": sum(c.trades for c in every)})
        return rows

    def _funding(self, body: dict[str, Any], now_ns: int) -> list[dict[str, Any]]:
        contract = self.contracts[str(body["coin"])]
        end = min(int(body.get("endTime") or ms(now_ns)) * NS_PER_MS, now_ns)
        paid = self.world.funding(contract, int(body["startTime"]) * NS_PER_MS, end + 1)[:_FUNDINGS]
        # Blocks do not fall on the hour: stamps lie some milliseconds after it.
        return [
            {
                "coin": contract.symbol,
                "fundingRate": number(r, 10),
                "premium": number(r, 10),
                "time": ms(at) + ms(at) // 3_600_000 % 97,
            }
            for at, r in paid
        ]

    def book(self, contract: Listing, now_ns: int, figures: Any, mantissa: Any) -> dict[str, Any]:
        """Return 20 levels a side, put together on prices of so many significant figures if wanted."""
        return self._merged(contract, now_ns // NS_PER_MINUTE, None if figures is None else int(figures), int(mantissa or 1))

    def _merge(self, contract: Listing, minute: int, figures: int | None, mantissa: int) -> dict[str, Any]:
        book = self.world.book(contract, minute * NS_PER_MINUTE, 1000)
        sides: list[list[dict[str, Any]]] = []
        for rows, away in ((book.bids, math.floor), (book.asks, math.ceil)):
            merged: dict[float, list[float]] = {}
            for price, quantity in rows:
                if figures is not None:
                    unit = 10.0 ** (math.floor(math.log10(price)) + 1 - figures) * mantissa
                    price = round(away(round(price / unit, 6)) * unit, 8)
                level = merged.setdefault(price, [0.0, 0.0])
                level[0] += quantity
                level[1] += 1
            sides.append([{"px": number(p), "sz": contract.quantity(q), "n": int(n)} for p, (q, n) in merged.items()][:_LEVELS])
        return {"coin": contract.symbol, "time": ms(book.ts_ns), "levels": sides}

    def trade(self, contract: Listing, p: Print) -> dict[str, Any]:
        """Return a trade with its buyer and seller; nothing tells a forced one."""
        return {
            "coin": contract.symbol,
            "side": "B" if p.taker_side is TakerSide.BUY else "A",
            "px": contract.price(p.price),
            "sz": contract.quantity(p.quantity),
            "time": ms(p.ts_ns),
            "hash": _hash(contract, p),
            "tid": p.number,
            "users": list(self.accounts.of_trade(contract, p)),
        }

    def recent(self, contract: Listing, now_ns: int) -> list[dict[str, Any]]:
        """Return the newest ten trades, newest first."""
        return [self.trade(contract, p) for p in recent(self.world, contract, now_ns, 10)[::-1]]

    # Accounts

    def _leaderboard(self, now_ns: int) -> dict[str, Any]:
        held = self.accounts.at(now_ns)
        rows: list[dict[str, Any]] = []
        for address in (*self.accounts.listed, *self.accounts.small[:100], POOL):
            account = held.get(address)
            value = self._equity(account, now_ns) if account else 250.0
            volume = self.world.draw("day", address).lognormvariate(10.0, 2.0)
            shown = {"pnl": "120.5", "roi": "0.0021", "vlm": number(volume, 2)}
            performances = [[name, shown] for name in ("day", "week", "month", "allTime")]
            row = {"ethAddress": address, "accountValue": number(value, 6), "windowPerformances": performances}
            rows.append(row | {"prize": 0, "displayName": None})
        return {"leaderboardRows": rows}

    def _equity(self, account: Account, now_ns: int) -> float:
        marks = self._marks(account, now_ns)
        own = sum(isolated_margin(h, marks[h.contract.symbol]) for h in account.holdings if h.isolated)
        return self._cross_equity(account, marks) + own

    def _marks(self, account: Account, now_ns: int) -> dict[str, float]:
        return {h.contract.symbol: self.world.ticker(h.contract, now_ns).mark for h in account.holdings}

    def _cross_equity(self, account: Account, marks: dict[str, float]) -> float:
        return account.cash + sum(h.size * (marks[h.contract.symbol] - h.entry) for h in account.holdings if not h.isolated)

    def state(self, address: str, now_ns: int) -> dict[str, Any]:
        """Return clearinghouseState of an address; one that is unknown has nothing."""
        account = self.accounts.at(now_ns).get(address.lower()) or Account(address.lower(), 0.0, ())
        marks = self._marks(account, now_ns)
        equity = self._cross_equity(account, marks)
        cross = [h for h in account.holdings if not h.isolated]
        notional = {h.contract.symbol: abs(h.size) * marks[h.contract.symbol] for h in account.holdings}
        needed = sum(notional[h.contract.symbol] * maintenance_rate(h.contract) for h in cross)
        used = sum(notional[h.contract.symbol] / h.leverage for h in cross)
        positions: list[dict[str, Any]] = []
        own = 0.0
        for h in account.holdings:
            mark, rate = marks[h.contract.symbol], maintenance_rate(h.contract)
            if h.isolated:
                margin = isolated_margin(h, mark)
                own += margin
            else:
                margin = equity - (needed - notional[h.contract.symbol] * rate)
            price = liquidation_price(h.size, mark, margin, rate)
            positions.append(self._position(h, mark, margin if h.isolated else notional[h.contract.symbol] / h.leverage, price))
        whole = sum(notional.values())
        crossed = sum(notional[h.contract.symbol] for h in cross)
        return {
            "marginSummary": _summary(equity + own, whole, used + own),
            "crossMarginSummary": _summary(equity, crossed, used),
            "crossMaintenanceMarginUsed": number(needed, 6),
            "withdrawable": number(max(0.0, equity - used), 6),
            "assetPositions": positions,
            "time": ms(now_ns),
        }

    def _position(self, h: Holding, mark: float, margin: float, price: float | None) -> dict[str, Any]:
        leverage: dict[str, Any] = {"type": "isolated" if h.isolated else "cross", "value": h.leverage}
        if h.isolated:
            leverage["rawUsd"] = number(margin - h.size * mark, 6)
        gain = h.size * (mark - h.entry)
        position = {
            "coin": h.contract.symbol,
            "szi": ("-" if h.size < 0 else "") + h.contract.quantity(abs(h.size)),
            "leverage": leverage,
            "entryPx": h.contract.price(h.entry),
            "positionValue": number(abs(h.size) * mark, 6),
            "unrealizedPnl": number(gain, 6),
            "returnOnEquity": number(gain * h.leverage / (abs(h.size) * h.entry), 10),
            "liquidationPx": None if price is None else number(price, 10),
            "marginUsed": number(margin, 6),
            "maxLeverage": max_leverage(h.contract.base),
            "cumFunding": {"allTime": "1.2", "sinceOpen": "0.0", "sinceChange": "0.0"},
        }
        return {"type": "oneWay", "position": position}

    def _vault(self, address: str) -> dict[str, Any] | None:
        if address.lower() != POOL:
            return None
        parts = {"type": "parent", "data": {"childAddresses": list(POOL_PARTS)}}
        head = {
            "name": "Hyperliquidity Provider (HLP)",
            "vaultAddress": POOL,
            "leader": "0x677d831aef5328190852e24f13c46cac05f984e7",
        }
        return head | {"description": "", "portfolio": [], "apr": 0.1, "followers": [], "isClosed": False, "relationship": parts}

    def fills(self, address: str, start_ns: int, end_ns: int) -> list[dict[str, Any]]:
        """Return the fills of an address, oldest first; a forced one says who was liquidated on both sides' fills."""
        found: list[tuple[int, dict[str, Any]]] = []
        for contract in self.contracts.values():
            for p in self.world.trades(contract, start_ns, end_ns):
                users = self.accounts.of_trade(contract, p)
                if address.lower() in users:
                    found.append((p.ts_ns, self._fill(contract, p, address.lower() == users[0], users)))
        return [row for _, row in sorted(found, key=lambda pair: pair[0])][:_FILLS]

    def _fill(self, contract: Listing, p: Print, bought: bool, users: tuple[str, str]) -> dict[str, Any]:
        row = {
            "coin": contract.symbol,
            "px": contract.price(p.price),
            "sz": contract.quantity(p.quantity),
            "side": "B" if bought else "A",
            "time": ms(p.ts_ns),
            "startPosition": "0.0",
            "dir": "Open Long" if bought else "Open Short",
            "closedPnl": "0.0",
            "hash": _hash(contract, p),
            "oid": p.number,
            "crossed": (p.taker_side is TakerSide.BUY) is bought,
            "fee": "0.01",
            "tid": p.number,
            "feeToken": "USDC",
            "twapId": None,
        }
        if p.bankruptcy is None:
            return row
        long = p.position_side is PositionSide.LONG
        loser = users[1] if long else users[0]
        if (bought and not long) or (not bought and long):
            size = contract.quantity(p.quantity)
            row |= {"dir": f"Liquidated Cross {'Long' if long else 'Short'}", "startPosition": size if long else f"-{size}"}
        mark = contract.price(self.world.ticker(contract, p.ts_ns).mark)
        return row | {"liquidation": {"liquidatedUser": loser, "markPx": mark, "method": "market"}}


def _hash(contract: Listing, p: Print) -> str:
    return f"0x{mark_of(contract):04x}{p.number:060x}"


def _summary(value: float, notional: float, used: float) -> dict[str, str]:
    raw = number(value - notional, 6)
    return {
        "accountValue": number(value, 6),
        "totalNtlPos": number(notional, 6),
        "totalRawUsd": raw,
        "totalMarginUsed": number(used, 6),
    }


def _body(asked: Asked) -> dict[str, Any]:
    try:
        found: Any = msgspec.json.decode(asked.body)
    except msgspec.DecodeError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
