"""A Hyperliquid that is invented: accounts with known positions behind the venue's own requests, on a virtual clock."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from liqscape.errors import Unreachable
from liqscape.testing.virtual import VirtualLoop
from liqscape.venues.hyperliquid.venue import LIQUIDITY_VAULT

Leg = tuple[str, float, float, float | None]  # coin, quantity, entry, liquidation price


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def address(number: int) -> str:
    return f"0x{number:040x}"


@dataclass
class Exchange:
    """Answers /info and the leaderboard; every request is counted with the virtual second it came at."""

    loop: VirtualLoop
    mark: dict[str, float]
    accounts: dict[str, list[Leg]]
    batch: bool = False
    children: list[str] = field(default_factory=list)
    leaders: list[str] | None = None  # None: all accounts
    asked: Counter[str] = field(default_factory=Counter)
    looks: dict[str, list[float]] = field(default_factory=dict)
    weight: list[tuple[float, float]] = field(default_factory=list)
    down: bool = False
    lie: bool = False  # a batch that answers in another order

    async def request(self, method, url, *, params, headers, body, timeout_s):
        await asyncio.sleep(0.05)
        if self.down:
            raise Unreachable(f"{url}: down")
        if url.endswith("/leaderboard"):
            self.asked["leaderboard"] += 1
            return Answer(200, json.dumps({"leaderboardRows": [self._leader(a) for a in self._leaders()]}).encode())
        asked = json.loads(body)
        kind = asked["type"]
        self.asked[kind] += 1
        self.weight.append((self.loop.time(), 2.0 if kind == "clearinghouseState" else 20.0))
        if kind == "clearinghouseState":
            return Answer(200, json.dumps(self._state(asked["user"])).encode())
        if kind == "batchClearinghouseStates":
            if not self.batch:
                return Answer(422, b"Failed to deserialize the JSON body into the target type")
            found = [self._state(user) for user in asked["users"]]
            return Answer(200, json.dumps(found[::-1] if self.lie else found).encode())
        if kind == "vaultDetails":
            related = {"type": "parent", "data": {"childAddresses": self.children}}
            return Answer(200, json.dumps({"vaultAddress": LIQUIDITY_VAULT, "relationship": related}).encode())
        universe = [{"name": coin, "szDecimals": 5, "maxLeverage": 40} for coin in self.mark]
        return Answer(200, json.dumps({"universe": universe, "marginTables": []}).encode())

    async def close(self) -> None:
        """Nothing is open."""

    def _leaders(self) -> list[str]:
        return list(self.accounts) if self.leaders is None else self.leaders

    def _leader(self, account: str) -> dict[str, object]:
        worth = sum(abs(q) * self.mark[coin] for coin, q, _, _ in self.accounts.get(account, []))
        windows = [["day", {"pnl": "0", "roi": "0", "vlm": "0"}]]
        return {"ethAddress": account, "accountValue": str(0.1 * worth), "windowPerformances": windows}

    def _state(self, account: str) -> dict[str, object]:
        self.looks.setdefault(account, []).append(self.loop.time())
        legs = self.accounts.get(account, [])
        equity = 1000.0 + sum(q * (self.mark[coin] - entry) for coin, q, entry, _ in legs)
        return {
            "assetPositions": [{"type": "oneWay", "position": self._position(*leg)} for leg in legs],
            "crossMarginSummary": {"accountValue": str(equity)},
            "crossMaintenanceMarginUsed": "1.0",
            "time": self.loop.now_ns() // 1_000_000,
        }

    def _position(self, coin: str, quantity: float, entry: float, liquidation: float | None) -> dict[str, object]:
        return {
            "coin": coin,
            "szi": str(quantity),
            "entryPx": str(entry),
            "leverage": {"type": "cross", "value": 20},
            "liquidationPx": None if liquidation is None else str(liquidation),
            "marginUsed": "10.0",
            "positionValue": str(abs(quantity) * self.mark[coin]),
            "maxLeverage": 40,
        }

    def most_weight_in_a_minute(self) -> float:
        times = [at for at, _ in self.weight]
        return max(
            (sum(w for at, w in self.weight if t - 60.0 < at <= t) for t in times[:: max(1, len(times) // 200)]), default=0.0
        )
