"""A market as a function of (seed, contract, time): what is asked twice, by anybody, over any door, has one answer.

Nothing is remembered from call to call but a cache, so a history read by REST in a year and the frames read live agree, however
many connections read and whenever they do. Grids: index and mark price change each second; open interest, the book and the
day's volume each minute; ratios every five minutes; the predicted funding rate each hour.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from liqscape.model import PositionSide, TakerSide
from liqscape.model.arrays import FloatArray
from liqscape.testing.exchange.listing import KNOWN_PRICES, NS_PER_MS, Listing, decimals, rounded
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S

COINS = ("BTC", "ETH", "SOL")
_PERIODS_S = np.array([41.0, 173.0, 660.0, 3_600.0, 21_600.0, 345_600.0])
_AMPLITUDES = np.array([0.0001, 0.0003, 0.0008, 0.003, 0.008, 0.03])
_MOVE_HOURS = 4  # a fall is forgotten after so long


@dataclass(frozen=True)
class Print:
    """One trade; a forced one is a liquidation.

    Parameters
    ----------
    ts_ns
        ns UTC, whole milliseconds.
    taker_side
        A forced order takes: SELL closes a long.
    price
        Average price of the fill, on the tick.
    quantity
        In the venue's unit, a multiple of its step.
    number
        Of the trade, ascending in time within a contract.
    bankruptcy
        Price at which the margin of a liquidated position is gone (on the tick); None for an ordinary trade.
    """

    ts_ns: int
    taker_side: TakerSide
    price: float
    quantity: float
    number: int
    bankruptcy: float | None = None

    @property
    def position_side(self) -> PositionSide:
        """The position that a forced order closed."""
        return PositionSide.LONG if self.taker_side is TakerSide.SELL else PositionSide.SHORT


@dataclass(frozen=True)
class Candle:
    """A closed minute.

    Parameters
    ----------
    start_ns
        Start of the minute.
    open, high, low, close
        Prices of the minute's trades (or of the mark), on the tick.
    quantity, taker_buy
        Volume and its part that buyers took, in the venue's unit; 0 for mark candles.
    base, taker_buy_base, turnover, taker_buy_turnover
        The same in coins and in the quote currency.
    trades
        Number of them.
    """

    start_ns: int
    open: float
    high: float
    low: float
    close: float
    quantity: float = 0.0
    taker_buy: float = 0.0
    base: float = 0.0
    taker_buy_base: float = 0.0
    turnover: float = 0.0
    taker_buy_turnover: float = 0.0
    trades: int = 0


@dataclass(frozen=True)
class Quote:
    """What a ticker tells.

    Parameters
    ----------
    mark, index, last
        Prices of the second.
    open_interest
        In the venue's unit, ONE side counted; changes at whole minutes.
    funding_rate, next_funding_ns
        Predicted for the next payment; changes at whole hours.
    volume, turnover
        Of 24 hours, in the venue's unit and in the quote currency.
    """

    mark: float
    index: float
    last: float
    open_interest: float
    funding_rate: float
    next_funding_ns: int
    volume: float
    turnover: float


@dataclass(frozen=True)
class Ladder:
    """A book: (price, quantity in the venue's unit), best first, and the minute at which it became so."""

    ts_ns: int
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


@dataclass(frozen=True)
class MarginTier:
    """One row of a margin table, by notional in the quote currency."""

    floor: float
    cap: float
    maintenance_margin_rate: float
    initial_margin_rate: float
    max_leverage: float
    deduction: float


TIERS = (
    MarginTier(0.0, 300_000.0, 0.004, 0.008, 125.0, 0.0),
    MarginTier(300_000.0, 2_000_000.0, 0.005, 0.01, 100.0, 300.0),
    MarginTier(2_000_000.0, 10_000_000.0, 0.01, 0.02, 50.0, 10_300.0),
    MarginTier(10_000_000.0, 50_000_000.0, 0.025, 0.05, 20.0, 160_300.0),
)


def joined(candles: list[Candle]) -> Candle:
    """Return one candle of several that follow each other."""
    if len(candles) == 1:
        return candles[0]
    return Candle(
        start_ns=candles[0].start_ns,
        open=candles[0].open,
        high=max(c.high for c in candles),
        low=min(c.low for c in candles),
        close=candles[-1].close,
        quantity=sum(c.quantity for c in candles),
        taker_buy=sum(c.taker_buy for c in candles),
        base=sum(c.base for c in candles),
        taker_buy_base=sum(c.taker_buy_base for c in candles),
        turnover=sum(c.turnover for c in candles),
        taker_buy_turnover=sum(c.taker_buy_turnover for c in candles),
        trades=sum(c.trades for c in candles),
    )


class World:
    """A light synthetic market: coins wander, fall once in a while or jump, and forced orders come in bursts as they do.

    Parameters
    ----------
    seed
        The same seed gives the same market.
    coins
        Base coins that every dialect lists, in the house's capitals.
    beat_ns
        How often tickers and trades are pushed to a subscriber; a whole number of seconds that divides a minute.
    forced_per_percent
        Mean count of forced orders per contract and side in a minute that moves against it by one per cent; at most 40.
    forced_in_quiet
        The same in a minute that does not move.
    """

    def __init__(
        self,
        seed: int = 1,
        coins: Sequence[str] = COINS,
        *,
        beat_ns: int = 5 * NS_PER_S,
        forced_per_percent: float = 40.0,
        forced_in_quiet: float = 0.15,
        keep_minutes: int = 50_000,
    ) -> None:
        self.seed = seed
        self.coins = tuple(coins)
        self.beat_ns = beat_ns
        self.forced_per_percent, self.forced_in_quiet = forced_per_percent, forced_in_quiet
        # Contract-minutes and coin-minutes are shared by all doors; the caches bound memory, not what can be asked.
        self._index = lru_cache(maxsize=keep_minutes)(self._index_of_minute)
        self._prints = lru_cache(maxsize=keep_minutes)(self._prints_of_minute)
        self._premium = lru_cache(maxsize=None)(self._premium_of)
        self._waves = lru_cache(maxsize=None)(self._waves_of)
        self._moves = lru_cache(maxsize=4_096)(self._move_of_hour)
        self._rates = lru_cache(maxsize=8_192)(self._rate_of_hour)
        self._days = lru_cache(maxsize=8_192)(self._day_of_hour)
        self._interest = lru_cache(maxsize=keep_minutes)(self._interest_of_minute)
        self._usual = lru_cache(maxsize=None)(self._usual_interest)
        self._quotes = lru_cache(maxsize=8_192)(self._quote_of_second)
        self._books = lru_cache(maxsize=128)(self._book_of_minute)

    def draw(self, *key: object) -> random.Random:
        """Return a generator that depends on the seed and `key` alone."""
        digest = blake2b(repr((self.seed, *key)).encode(), digest_size=8).digest()
        return random.Random(int.from_bytes(digest, "big"))

    # What a coin is worth

    def price_of(self, base: str) -> float:
        """Return the price about which a coin moves, quote per base."""
        known = KNOWN_PRICES.get(base)
        return known if known is not None else 10.0 ** self.draw("price", base).uniform(-2.0, 2.0)

    def index_prices(self, base: str, minute_ns: int) -> FloatArray:
        """Return the index price at each second of a minute and at its end: float64[61]."""
        return self._index(base, minute_ns)

    def _waves_of(self, base: str) -> FloatArray:
        return np.array([self.draw("wave", base, k).uniform(0.0, 2.0 * math.pi) for k in range(len(_PERIODS_S))])

    def _move_of_hour(self, base: str, hour: int) -> tuple[float, float, float]:
        """Return start (s), duration (s) and size (log) of the hour's one sharp move: mostly falls."""
        draw = self.draw("move", base, hour)
        start_s = hour * 3_600.0 + draw.uniform(300.0, 3_000.0)
        size = -draw.uniform(0.01, 0.04) if draw.random() < 0.65 else draw.uniform(0.01, 0.03)
        return start_s, draw.uniform(90.0, 360.0), size

    def _index_of_minute(self, base: str, minute_ns: int) -> FloatArray:
        seconds = minute_ns // NS_PER_S + np.arange(61.0)
        wave = np.sin(2.0 * math.pi * seconds[:, None] / _PERIODS_S + self._waves(base)) @ _AMPLITUDES
        hour = minute_ns // NS_PER_HOUR
        for back in range(_MOVE_HOURS + 2):
            start_s, lasts_s, size = self._moves(base, hour - back)
            since = seconds - start_s
            fallen = np.clip(since / lasts_s, 0.0, 1.0)
            left = np.exp(-np.maximum(since - lasts_s, 0.0) / 1_800.0) * np.clip(1.0 - since / (_MOVE_HOURS * 3_600.0), 0.0, 1.0)
            wave += size * fallen * left
        return self.price_of(base) * np.exp(wave)

    # What a contract trades at

    def _premium_of(self, contract: Listing) -> float:
        return self.draw("premium", contract.venue, contract.symbol).uniform(-3e-4, 3e-4)

    def last_price(self, contract: Listing, ts_ns: int) -> float:
        """Return where the contract trades in a second, on the tick."""
        second = ts_ns % NS_PER_MINUTE // NS_PER_S
        index = float(self._index(contract.base, ts_ns - ts_ns % NS_PER_MINUTE)[second])
        return rounded(index * (1.0 + self._premium(contract)), contract.tick)

    def mark_prices(self, contract: Listing, minute_ns: int) -> FloatArray:
        """Return the mark price at each second of a minute and at its end, not rounded: float64[61]."""
        return self._index(contract.base, minute_ns) * (1.0 + 0.5 * self._premium(contract))

    def forced_orders(self, contract: Listing, minute_ns: int) -> list[Print]:
        """Return the liquidations of a minute, ascending in time; longs die while the price falls."""
        index = self._index(contract.base, minute_ns)
        percent = 100.0 * math.log(float(index[60]) / float(index[0]))
        draw = self.draw("forced", contract.venue, contract.symbol, minute_ns)
        prints: list[Print] = []
        for sign, pull in ((1, -percent), (-1, percent)):
            mean = self.forced_in_quiet + self.forced_per_percent * max(0.0, pull)
            count = min(40, int(draw.expovariate(1.0 / mean) + draw.random()))
            for _ in range(count):
                at = minute_ns + draw.randrange(60_000) * NS_PER_MS
                price = self.last_price(contract, at)
                quantity = contract.quantity_of(min(draw.lognormvariate(8.5, 1.4), 2e6), price)
                gone = rounded(price * (1.0 - sign * draw.uniform(0.001, 0.006)), contract.tick)
                side = TakerSide.SELL if sign > 0 else TakerSide.BUY
                prints.append(Print(at, side, price, quantity, 0, gone))
                if draw.random() < 0.03:  # two positions alike may die in one millisecond: both count
                    prints.append(prints[-1])
        return sorted(prints, key=lambda p: p.ts_ns)

    def _prints_of_minute(self, contract: Listing, minute_ns: int) -> tuple[list[Print], list[int], list[Print]]:
        draw = self.draw("trades", contract.venue, contract.symbol, minute_ns)
        every: list[Print] = self.forced_orders(contract, minute_ns)
        for _ in range(draw.randint(6, 14)):
            at = minute_ns + draw.randrange(60_000) * NS_PER_MS
            price = self.last_price(contract, at)
            side = TakerSide.BUY if draw.random() < 0.5 else TakerSide.SELL
            quantity = contract.quantity_of(min(draw.lognormvariate(7.5, 1.6), 1e6), price)
            every.append(Print(at, side, price, quantity, 0))
        every.sort(key=lambda p: p.ts_ns)
        first = minute_ns // NS_PER_MINUTE * 1_000
        numbered = [Print(p.ts_ns, p.taker_side, p.price, p.quantity, first + i, p.bankruptcy) for i, p in enumerate(every)]
        return numbered, [p.ts_ns for p in numbered], [p for p in numbered if p.bankruptcy is not None]

    # What can be asked

    def trades(self, contract: Listing, start_ns: int, end_ns: int) -> list[Print]:
        """Return every trade in [start_ns, end_ns), liquidations among them, ascending in time."""
        found: list[Print] = []
        for minute in range(start_ns - start_ns % NS_PER_MINUTE, end_ns, NS_PER_MINUTE):
            prints, times, _ = self._prints(contract, minute)
            found += prints[bisect_left(times, start_ns) : bisect_left(times, end_ns)]
        return found

    def liquidations(self, contract: Listing, start_ns: int, end_ns: int) -> list[Print]:
        """Return the forced trades in [start_ns, end_ns), ascending in time."""
        found: list[Print] = []
        for minute in range(start_ns - start_ns % NS_PER_MINUTE, end_ns, NS_PER_MINUTE):
            found += [p for p in self._prints(contract, minute)[2] if start_ns <= p.ts_ns < end_ns]
        return found

    def minute(self, contract: Listing, ts_ns: int, until_ns: int | None = None) -> Candle:
        """Return the candle of the minute that holds `ts_ns`: the sum of its trades, of those before `until_ns` if given."""
        start = ts_ns - ts_ns % NS_PER_MINUTE
        prints = self._prints(contract, start)[0]
        if until_ns is not None and until_ns < start + NS_PER_MINUTE:
            prints = [p for p in prints if p.ts_ns < until_ns]
        if not prints:
            price = self.last_price(contract, start)
            return Candle(start, price, price, price, price)
        prices = [p.price for p in prints]
        bought = [p for p in prints if p.taker_side is TakerSide.BUY]
        return Candle(
            start_ns=start,
            open=prices[0],
            high=max(prices),
            low=min(prices),
            close=prices[-1],
            quantity=rounded(sum(p.quantity for p in prints), contract.step),
            taker_buy=rounded(sum(p.quantity for p in bought), contract.step),
            base=sum(contract.base_of(p.quantity, p.price) for p in prints),
            taker_buy_base=sum(contract.base_of(p.quantity, p.price) for p in bought),
            turnover=sum(contract.quote_of(p.quantity, p.price) for p in prints),
            taker_buy_turnover=sum(contract.quote_of(p.quantity, p.price) for p in bought),
            trades=len(prints),
        )

    def mark_minute(self, contract: Listing, ts_ns: int, until_ns: int | None = None) -> Candle:
        """Return the candle of the mark price of the minute that holds `ts_ns`, up to `until_ns` if given."""
        return self._candle(contract, ts_ns, until_ns, self.mark_prices(contract, ts_ns - ts_ns % NS_PER_MINUTE))

    def index_minute(self, contract: Listing, ts_ns: int, until_ns: int | None = None) -> Candle:
        """Return the candle of the index price of the minute that holds `ts_ns`, up to `until_ns` if given."""
        return self._candle(contract, ts_ns, until_ns, self._index(contract.base, ts_ns - ts_ns % NS_PER_MINUTE))

    def _candle(self, contract: Listing, ts_ns: int, until_ns: int | None, prices: FloatArray) -> Candle:
        start = ts_ns - ts_ns % NS_PER_MINUTE
        if until_ns is not None and until_ns < start + NS_PER_MINUTE:
            prices = prices[: max(1, -(-(until_ns - start) // NS_PER_S))]
        values = [float(prices[0]), float(prices.max()), float(prices.min()), float(prices[-1])]
        opened, high, low, close = (rounded(value, contract.tick) for value in values)
        return Candle(start, opened, high, low, close)

    def open_interest(self, contract: Listing, ts_ns: int) -> float:
        """Return the open contracts of the minute that holds `ts_ns`, one side, in the venue's unit."""
        return self._interest(contract, ts_ns // NS_PER_MINUTE)

    def _usual_interest(self, contract: Listing) -> float:
        return 10.0 ** self.draw("interest", contract.venue, contract.symbol).uniform(6.5, 9.0)

    def _interest_of_minute(self, contract: Listing, minute: int) -> float:
        noise = self.draw("interest", contract.symbol, minute).uniform(-1.0, 1.0)
        swing = 0.08 * math.sin(minute / 173.0) + 0.01 * noise
        return contract.quantity_of(self._usual(contract) * (1.0 + swing), self.price_of(contract.base))

    def ticker(self, contract: Listing, ts_ns: int) -> Quote:
        """Return what is true in the second that holds `ts_ns`."""
        return self._quotes(contract, ts_ns // NS_PER_S)

    def _day_of_hour(self, contract: Listing, hour: int) -> tuple[float, float]:
        """Return the volume of 24 hours in the venue's unit and in the quote currency."""
        day = 10.0 ** self.draw("day", contract.venue, contract.symbol, hour).uniform(7.0, 9.0)
        return contract.quantity_of(day, self.price_of(contract.base)), day

    def _quote_of_second(self, contract: Listing, second: int) -> Quote:
        ts_ns = second * NS_PER_S
        index = float(self._index(contract.base, ts_ns - ts_ns % NS_PER_MINUTE)[second % 60])
        volume, turnover = self._days(contract, ts_ns // NS_PER_HOUR)
        interval = contract.funding_hours * NS_PER_HOUR
        return Quote(
            mark=rounded(index * (1.0 + 0.5 * self._premium(contract)), contract.tick),
            index=rounded(index, contract.tick),
            last=rounded(index * (1.0 + self._premium(contract)), contract.tick),
            open_interest=self.open_interest(contract, ts_ns),
            funding_rate=self.funding_rate(contract, ts_ns),
            next_funding_ns=ts_ns - ts_ns % interval + interval,
            volume=volume,
            turnover=turnover,
        )

    def funding_rate(self, contract: Listing, ts_ns: int) -> float:
        """Return the rate predicted during the hour that holds `ts_ns`, fraction per interval, 8 decimals."""
        return self._rates(contract, ts_ns // NS_PER_HOUR)

    def _rate_of_hour(self, contract: Listing, hour: int) -> float:
        return round(self.draw("funding", contract.venue, contract.symbol, hour).gauss(1e-4, 8e-5), 8)

    def funding(self, contract: Listing, start_ns: int, end_ns: int) -> list[tuple[int, float]]:
        """Return the payments (ns UTC, rate) in [start_ns, end_ns): each is what the hour before it predicted."""
        interval = contract.funding_hours * NS_PER_HOUR
        stamps = range(-(-start_ns // interval) * interval, end_ns, interval)
        return [(stamp, self.funding_rate(contract, stamp - 1)) for stamp in stamps]

    def long_share(self, contract: Listing, ts_ns: int, population: str = "accounts") -> float:
        """Return the share of a population that is long in the five minutes that hold `ts_ns`, 4 decimals."""
        slot = ts_ns // (5 * NS_PER_MINUTE)
        return round(self.draw("share", contract.venue, contract.symbol, population, slot).uniform(0.35, 0.7), 4)

    def book(self, contract: Listing, ts_ns: int, levels: int) -> Ladder:
        """Return the book of the minute that holds `ts_ns`: `levels` a side, out to about 5 %."""
        return self._books(contract, ts_ns // NS_PER_MINUTE, levels)

    def _book_of_minute(self, contract: Listing, number: int, levels: int) -> Ladder:
        minute, tick, step = number * NS_PER_MINUTE, contract.tick, contract.step
        middle = self.last_price(contract, minute)
        draw = self.draw("book", contract.venue, contract.symbol, number)
        steps = 20_000.0 / contract.quote_of(step, middle)  # of the quantity, a level's usual size
        pace = 0.05 * middle / levels
        sides: list[list[tuple[float, float]]] = []
        for sign in (-1, 1):
            chances = np.array([draw.random() for _ in range(2 * levels)])
            away = np.maximum(np.cumsum(pace * (0.5 + chances[:levels])) - 0.5 * pace, tick * np.arange(1, levels + 1))
            prices = np.round(np.round((middle + sign * away) / tick) * tick, decimals(tick))
            sizes = np.round(np.maximum(1.0, np.round(steps * chances[levels:] ** 3)) * step, decimals(step))
            # Two levels that were rounded to one price are one level.
            first = np.append(True, np.diff(prices) != 0.0)
            sides.append(list(zip(prices[first].tolist(), sizes[first].tolist(), strict=True)))
        return Ladder(minute, sides[0], sides[1])

    def tiers(self, contract: Listing) -> tuple[MarginTier, ...]:
        """Return the margin table: the same for every contract."""
        return TIERS
