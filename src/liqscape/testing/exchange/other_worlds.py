"""Other things to tell than the light synthetic market: a simulated market with exact accounts, or frames from a tape."""

from __future__ import annotations

import gzip
import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from liqscape.errors import NoData
from liqscape.model import TakerSide
from liqscape.model.arrays import FloatArray
from liqscape.testing.exchange.dialect import Answer, Asked, Conversation, Dialect, Frame
from liqscape.testing.exchange.listing import NS_PER_MS, Listing, rounded
from liqscape.testing.exchange.world import Print, World
from liqscape.testing.market import SimulatedRun
from liqscape.units import NS_PER_MINUTE, NS_PER_S

_HEAD = struct.Struct("<qI")
_TEXT = 1 << 31


class RunWorld(World):
    """The market of a `SimulatedMarket` run under one coin's name; other coins stay synthetic.

    The run is played from `begin_ns` on and again from its beginning when it is over, with a jump there. Index prices are those
    of its steps, between them straight lines; every contract of the coin tells every forced order of the run.

    Parameters
    ----------
    run
        A simulated market.
    begin_ns
        What the venues' clock says at the run's first step; default: the run's own time.
    base
        The coin.
    """

    def __init__(self, run: SimulatedRun, *, begin_ns: int | None = None, base: str = "BTC", seed: int = 1) -> None:
        super().__init__(seed, (base,))
        self.base = base
        self._run = run
        self._first = int(run.steps.end_ns[0])
        self._length = max(1, (int(run.steps.end_ns[-1]) - self._first) // NS_PER_MINUTE) * NS_PER_MINUTE
        begin = self._first if begin_ns is None else begin_ns
        self._shift = begin - begin % NS_PER_MINUTE - self._first
        self._usual_price = float(np.median(run.steps.index))

    def price_of(self, base: str) -> float:
        """Return the run's median index price for its coin."""
        return self._usual_price if base == self.base else super().price_of(base)

    def _then(self, ts_ns: int) -> int:
        """Return the instant of the run that is told at an instant of the venues."""
        return self._first + (ts_ns - self._shift - self._first) % self._length

    def _index_of_minute(self, base: str, minute_ns: int) -> FloatArray:
        if base != self.base:
            return super()._index_of_minute(base, minute_ns)
        steps = self._run.steps
        seconds = self._then(minute_ns) + np.arange(61, dtype=np.int64) * NS_PER_S
        return np.interp(seconds.astype(np.float64), steps.end_ns.astype(np.float64), steps.index)

    def forced_orders(self, contract: Listing, minute_ns: int) -> list[Print]:
        """Return the run's forced orders of a minute."""
        if contract.base != self.base:
            return super().forced_orders(contract, minute_ns)
        prints, begin = self._run.prints, self._then(minute_ns)
        first, last = (int(np.searchsorted(prints.ts_ns, at)) for at in (begin, begin + NS_PER_MINUTE))
        found: list[Print] = []
        for i in range(first, last):
            at = minute_ns + (int(prints.ts_ns[i]) - begin) // NS_PER_MS * NS_PER_MS
            gone = rounded(float(prints.price[i]), contract.tick)
            quantity = contract.quantity_of(float(prints.quantity_base[i]) * gone, gone)
            side = TakerSide.SELL if prints.sign[i] > 0 else TakerSide.BUY
            found.append(Print(at, side, self.last_price(contract, at), quantity, 0, gone))
        return sorted(found, key=lambda p: p.ts_ns)


class FromTape(Dialect):
    """A venue whose sockets play one stream of a tape; requests are answered by the dialect it stands for.

    Every connection gets the same frames at the same instants; what the client subscribes is acknowledged, and not looked at.

    Parameters
    ----------
    dialect
        Acknowledges and answers.
    folder, key, stream
        The tape, and which adapter's stream of it; of its lines the first is played.
    begin_ns
        What the venues' clock says when the tape begins.

    Raises
    ------
    NoData
        If the tape has no such stream.
    """

    def __init__(self, dialect: Dialect, folder: Path, key: str, stream: str, *, begin_ns: int) -> None:
        self._dialect = dialect
        self.key, self.hosts = dialect.key, dialect.hosts
        super().__init__(dialect.world)
        paths = sorted(folder.glob(f"{key}/{stream}.0.*.frames.gz"), key=lambda path: int(path.name.split(".")[-3]))
        told = [pair for path in paths for pair in _frames(path)]
        if not told:
            raise NoData(f"tape: {folder} has no frame of {key} {stream}", hint="Its folders are adapters, its files streams.")
        shift = begin_ns - told[0][0]
        self._frames = [frame for _, frame in told]
        self._times = [at + shift for at, _ in told]

    def listings(self) -> list[Listing]:
        """Return what the dialect lists."""
        return self._dialect.listings()

    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer as the dialect does."""
        return self._dialect.rest(asked, now_ns)

    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open a socket that plays the tape."""
        inner = self._dialect.converse(asked, now_ns)
        return None if inner is None else _Played(inner, self._times, self._frames)


class _Played(Conversation):
    def __init__(self, inner: Conversation, times: list[int], frames: list[Frame]) -> None:
        self._inner, self._times, self._frames = inner, times, frames

    def opening(self, now_ns: int) -> list[Frame]:
        return self._inner.opening(now_ns)

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        return self._inner.receive(message, now_ns)[:1]

    def frames(self, from_ns: int, to_ns: int) -> list[tuple[int, Frame]]:
        first, last = bisect_left(self._times, from_ns), bisect_left(self._times, to_ns)
        return list(zip(self._times[first:last], self._frames[first:last], strict=True))


def _frames(path: Path) -> Iterator[tuple[int, Frame]]:
    """Yield (ns UTC, frame) of one file of a tape, up to its last whole frame."""
    with gzip.open(path, "rb") as file:
        try:
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                at, length = _HEAD.unpack(head)
                body = file.read(length & ~_TEXT)
                if len(body) < length & ~_TEXT:
                    return
                yield at, body.decode() if length & _TEXT else body
        except (EOFError, zlib.error):
            return
