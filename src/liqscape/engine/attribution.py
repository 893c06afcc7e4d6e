"""How much of a past move was forced (F30): stored bars and published liquidations, replayed without the forced orders."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from liqscape.cascade import Attribution, Factor, Replay, attribute, exactly, speed_ratio
from liqscape.cascade.absorption import IMPACT_Y, LINEAR_BELOW, REFILL
from liqscape.cascade.attribution import STANDING
from liqscape.clock import iso
from liqscape.engine.brakes import LOOK_BACK_NS, day_volume, stored_book
from liqscape.engine.breaches import Breaches, breaches
from liqscape.engine.cascade import REPORTED
from liqscape.engine.maps import daily_volatility
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.model import BarSeries, Completeness, InstrumentId, LiquidationSeries
from liqscape.model.arrays import FloatArray
from liqscape.store import read_bars, read_liquidations
from liqscape.units import NS_PER_DAY, NS_PER_S, format_duration

LONGEST_NS = 3 * NS_PER_DAY
_FARTHEST = 0.05  # of the law: beyond it depth per distance is taken as even


class MoveAttribution(Struct, frozen=True, kw_only=True):
    """What one move was made of.

    Parameters
    ----------
    attribution
        Shares of the move with their intervals.
    speed_ratio
        Size of the move by what is usual for its length.
    forced_usd, published_usd
        Net forced buying over the window, estimated true; published sums of longs and shorts.
    depth_usd
        Dollars that move the price 1 %, as it was at the beginning.
    basis
        `book` or `impact_law`.
    reported
        What published dollars were divided by.
    breaches
        Whether moves after breached levels grew with what lay behind them, in the 60 days before; None if too few were.
    notes
        What a reader must know, in words.
    """

    instrument: InstrumentId
    from_ns: int
    to_ns: int
    from_price: float
    to_price: float
    steps: int
    step_s: float
    attribution: Attribution
    speed_ratio: float
    forced_usd: float
    published_long_usd: float
    published_short_usd: float
    depth_usd: float
    basis: str
    reported: Factor
    breaches: Breaches | None
    notes: tuple[str, ...]


def attribute_move(
    workspace: Workspace, asked: str, *, from_ns: int, to_ns: int, venues: tuple[str, ...] = ()
) -> MoveAttribution:
    """Attribute the move of a stretch of stored bars.

    Raises
    ------
    BadArgument
        If the name means several instruments, or the stretch is empty or longer than 3 days.
    NoData
        If bars, liquidations, volatility or volume are missing; the error says which.
    """
    found = workspace.resolve(asked, venues)
    if len(found) != 1:
        names = ", ".join(map(str, found))
        raise BadArgument(f"{asked} means several instruments: {names}", hint="Name one of them.")
    if not 0 < to_ns - from_ns <= LONGEST_NS:
        raise BadArgument(
            f"attribute: expected `from` before `to`, at most {format_duration(LONGEST_NS)} apart, "
            f"received {iso(from_ns)} and {iso(to_ns)}",
            hint="Cut the window to the move itself.",
        )
    instrument = found[0]
    before = read_bars(workspace.store, instrument, start_ns=from_ns - LOOK_BACK_NS, end_ns=from_ns, known_by_ns=from_ns)
    bars = read_bars(
        workspace.store, instrument, start_ns=from_ns, end_ns=to_ns, interval_ns=before.interval_ns, price_kind=before.price_kind
    )
    _gapless(instrument, bars, from_ns, to_ns)
    series = read_liquidations(workspace.store, instrument, start_ns=from_ns - NS_PER_DAY, end_ns=to_ns)
    net = forced_flow(instrument, bars, series)
    reported = _reported(workspace, instrument, series)
    move = abs(float(np.log(bars.close[-1] / bars.open[0])))
    depth, basis, refill, notes = _depth(workspace, instrument, before, from_ns, move, rising=bars.close[-1] > bars.open[0])
    taker = (2.0 * bars.taker_buy_base - bars.volume_base) * bars.close
    known = bool(np.isfinite(taker).all())
    replayed = Replay(
        price=np.concatenate(([bars.open[0]], bars.close)),
        forced_usd=net,
        depth_usd=np.array([depth]),
        taker_usd=taker if known else None,
        step_s=bars.interval_ns / NS_PER_S,
    )
    sigma = daily_volatility(before)
    if sigma is None:
        raise NoData(f"{instrument}: less than a day of bars before {iso(from_ns)}: volatility is not known", hint="Import more.")
    seconds = (int(bars.end_ns[-1]) - int(bars.start_ns[0])) / NS_PER_S
    within = (series.start_ns >= int(bars.start_ns[0])) & (series.start_ns < int(bars.end_ns[-1]))
    notes = (*notes, *(() if known else ("taker flow is not stored: other flow is part of what is unexplained",)))
    if series.interval_ns > bars.interval_ns:
        whole, step = format_duration(series.interval_ns), format_duration(bars.interval_ns)
        notes = (*notes, f"liquidations are sums of {whole}, spread over bars of {step} by their adverse move")
    return MoveAttribution(
        instrument=instrument,
        from_ns=int(bars.start_ns[0]),
        to_ns=int(bars.end_ns[-1]),
        from_price=float(bars.open[0]),
        to_price=float(bars.close[-1]),
        steps=len(bars),
        step_s=replayed.step_s,
        attribution=attribute(replayed, reported=reported, refill=refill),
        speed_ratio=speed_ratio(float(np.log(bars.close[-1] / bars.open[0])), sigma, seconds),
        forced_usd=float(net.sum()) / reported.median,
        published_long_usd=float(series.long_usd[within].sum()),
        published_short_usd=float(series.short_usd[within].sum()),
        depth_usd=depth * 0.01,
        basis=basis,
        reported=reported,
        breaches=breaches(workspace, before, depth_usd=depth, reported=reported, as_of_ns=from_ns),
        notes=notes,
    )


def forced_flow(instrument: InstrumentId, bars: BarSeries, series: LiquidationSeries) -> FloatArray:
    """Return published forced buying less forced selling per bar, float64[bars], USD.

    A sum over several bars is spread by how far each went against the side (below its open for longs, above for shorts).

    Raises
    ------
    NoData
        If a bar lies in no known interval.
    """
    if not len(series):
        raise NoData(
            f"{instrument}: no liquidations are stored from {iso(int(bars.start_ns[0]))}",
            hint="Import published liquidations of the window.",
        )
    at = np.searchsorted(series.start_ns, bars.start_ns, side="right") - 1
    holds = (at >= 0) & (bars.start_ns < series.start_ns[np.maximum(at, 0)] + series.interval_ns)
    if not holds.all():
        missing = int(bars.start_ns[np.argmin(holds)])
        raise NoData(
            f"{instrument}: liquidations of {iso(missing)} are not known", hint="Cut the window, or import what is missing."
        )
    net = np.zeros(len(bars))
    if series.interval_ns < bars.interval_ns:
        place = np.searchsorted(bars.start_ns, series.start_ns, side="right") - 1
        inside = (place >= 0) & (series.start_ns < int(bars.end_ns[-1]))
        np.add.at(net, place[inside], (series.short_usd - series.long_usd)[inside])
        return net
    adverse = ((bars.open - bars.low) / bars.open, (bars.high - bars.open) / bars.open)
    for usd, reach, sign in ((series.long_usd, adverse[0], -1.0), (series.short_usd, adverse[1], 1.0)):
        weight = reach**2 + 1e-12  # dollars reached grow faster than the move; a bar without one takes next to nothing
        whole = np.bincount(at, weights=weight, minlength=len(series))
        # An interval that the window cuts gives the part of its time that is inside.
        inside = np.minimum(np.bincount(at, minlength=len(series)) * bars.interval_ns / series.interval_ns, 1.0)
        net += sign * (usd * inside)[at] * weight / whole[at]
    return net


def _depth(
    workspace: Workspace, instrument: InstrumentId, before: BarSeries, at_ns: int, move: float, *, rising: bool
) -> tuple[float, str, Factor, tuple[str, ...]]:
    """Return USD per unit of log distance that a move of this size met, how it is known, what multiplies it, and notes.

    It is the standing book, as in the simulation in time: what refills shows as impact that fades, and is not counted twice.
    """
    book, notes = stored_book(workspace, (instrument,), at_ns)
    if book is not None:
        within = float(min(max(move, LINEAR_BELOW), book.distance[-1]))
        side = book.ask_usd if rising else book.bid_usd
        usd = float(np.interp(within, np.append(0.0, book.distance), np.append(0.0, side)))
        return usd / within, "book", STANDING, notes
    sigma = daily_volatility(before)
    if sigma is None or not sigma > 0.0:
        raise NoData(f"{instrument}: less than a day of bars before {iso(at_ns)}: volatility is not known", hint="Import more.")
    volume = day_volume(str(instrument), (before,), at_ns)
    within = min(max(move, LINEAR_BELOW), _FARTHEST)
    y = IMPACT_Y
    # B = V (x / (Y sigma))^2: an uncertain Y is an uncertain depth, squared and turned round.
    factor = Factor(median=1.0, lo=(y.median / y.hi) ** 2, hi=(y.median / y.lo) ** 2, source=y.source, date=y.date)
    return volume.usd * within / (y.median * sigma) ** 2 / REFILL.median, "impact_law", factor, notes


def _reported(workspace: Workspace, instrument: InstrumentId, series: LiquidationSeries) -> Factor:
    if series.completeness is Completeness.ALL:
        return exactly(1.0, source="the feeds show every forced order")
    known = workspace.settings.reported_share
    rows = [known[venue] for venue in (series.venues or (instrument.venue,)) if venue in known]
    if not rows or len(rows) < len(series.venues):
        return REPORTED
    median, lo, hi = float(np.mean([r[0] for r in rows])), min(r[1] for r in rows), max(r[2] for r in rows)
    return Factor(median=median, lo=lo, hi=hi, source="the setting reported_share", date="")


def _gapless(instrument: InstrumentId, bars: BarSeries, from_ns: int, to_ns: int) -> None:
    expected = (int(bars.end_ns[-1]) - int(bars.start_ns[0])) // bars.interval_ns
    reaches = int(bars.start_ns[0]) - from_ns < bars.interval_ns and to_ns - int(bars.end_ns[-1]) < bars.interval_ns
    if expected == len(bars) and reaches:
        return
    raise NoData(
        f"{instrument}: bars are missing between {iso(from_ns)} and {iso(to_ns)}: {len(bars)} are stored, "
        f"from {iso(int(bars.start_ns[0]))} to {iso(int(bars.end_ns[-1]))}",
        hint="Cut the window so that no gap is in it.",
    )
