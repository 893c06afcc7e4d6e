"""Venues in memory for the tests of backfill: the rehearsal exchange's dialects behind a transport without sockets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import urlsplit

from liqscape.errors import Unreachable
from liqscape.testing.exchange.dialect import Answer, Asked, Dialect
from liqscape.testing.exchange.dialects.binance import BinanceUsdm
from liqscape.testing.exchange.dialects.bybit import Bybit
from liqscape.testing.exchange.dialects.okx import Okx
from liqscape.testing.exchange.world import World
from liqscape.testing.virtual import START_NS
from liqscape.units import NS_PER_DAY, NS_PER_S

NOW_NS = START_NS // NS_PER_DAY * NS_PER_DAY + NS_PER_DAY // 2
Fault = Callable[[Asked, int], "Answer | Exception | None"]


@dataclass(frozen=True)
class Reply:
    """What the client sees."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class MemoryTransport:
    """Requests go to the dialect that answers for their host; `fault` may answer or fail in its place.

    Parameters
    ----------
    now_ns
        The venues' clock.
    fault
        Given the request and how many came before it: an answer, an error to raise, or None.
    """

    dialects: list[Dialect]
    now_ns: Callable[[], int]
    fault: Fault | None = None
    asked: list[Asked] = field(default_factory=list)

    async def request(self, method, url, *, params, headers, body, timeout_s):
        parts = urlsplit(url)
        query = dict(params) | dict(pair.split("=") for pair in parts.query.split("&") if pair)
        asked = Asked(parts.hostname or "", parts.path, query, method, headers, body or b"")
        wrong = None if self.fault is None else self.fault(asked, len(self.asked))
        self.asked.append(asked)
        if isinstance(wrong, Exception):
            raise wrong
        dialect = next((one for one in self.dialects if asked.host in one.hosts), None)
        if dialect is None:
            raise Unreachable(f"{url}: no such host")
        answer = wrong or dialect.rest(asked, self.now_ns())
        date = formatdate(self.now_ns() / NS_PER_S, usegmt=True)
        return Reply(answer.status, {"date": date, **answer.headers}, answer.body)

    async def connect(self, url, *, timeout_s):
        raise Unreachable(f"{url}: no sockets here")

    async def close(self):
        return None

    def paths(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(asked.path for asked in self.asked)


def three_venues(world: World | None = None) -> list[Dialect]:
    """Bybit, Binance USD-M and OKX telling of one market."""
    world = world or World(seed=5, coins=("BTC",))
    return [Bybit(world), BinanceUsdm(world), Okx(world)]
