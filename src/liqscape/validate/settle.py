"""From scores and lift to the verdict that is stored: everything that the badge rests on, in one record."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from liqscape._version import __version__
from liqscape.clock import now_ns
from liqscape.errors import NoData
from liqscape.model import BarSeries, InstrumentId, LiquidationSeries, PositionSide
from liqscape.model.arrays import FloatArray
from liqscape.store import Store, Table
from liqscape.units import NS_PER_DAY
from liqscape.validate.bootstrap import Value
from liqscape.validate.lift import Placed, lift
from liqscape.validate.report import MAP, Judged, Report
from liqscape.validate.scores import Card
from liqscape.validate.verdict import Lift, Rival, SideScores, Verdict, inputs_hash, judge

_TENTHS = 10


def settle(
    judged: Judged,
    bars: BarSeries,
    liquidations: LiquidationSeries,
    *,
    prints: Placed | None = None,
    survivor_share: dict[str, float] | None = None,
    simulated: bool = False,
) -> Verdict:
    """Return the verdict on a scored window: scores, lift, badge and the hash of what they were computed from.

    Parameters
    ----------
    judged
        What `validate` returned for these bars and liquidations.
    prints
        Forced orders with prices, which locate liquidations better than sums; see `prints_of`.
    """
    report, rows = judged.report, judged.predictions.rows
    shown = judged.shown & rows.known
    days = int(np.unique(rows.start_ns[shown] // NS_PER_DAY).size)
    found: Lift | None = None
    with suppress(NoData):  # a record on which nothing can be located has no lift: the badge says so
        found = lift(bars, liquidations, from_ns=report.from_ns, to_ns=report.to_ns, prints=prints)
    sides = tuple(
        _side(side, card, rows.realised[shown, s], judged.predictions.predicted[shown, s])
        for s, (side, card) in enumerate(zip(PositionSide, (report.map.long, report.map.short), strict=True))
    )
    state, reasons = judge(days, found, sides)
    return Verdict(
        instrument=report.instrument,
        state=state,
        reasons=reasons,
        model=report.model,
        version=__version__,
        computed_at_ns=now_ns(),
        from_ns=report.from_ns,
        to_ns=report.to_ns,
        interval_ns=report.interval_ns,
        days=days,
        learned_share=report.learned_share,
        null_until_ns=report.null_until_ns,
        null_usd=report.null_usd,
        lift=found,
        sides=sides,
        rivals=_rivals(report),
        survivor_share=survivor_share or {},
        inputs_hash=inputs_hash(bars, liquidations),
        simulated=simulated,
    )


def _side(side: PositionSide, card: Card, realised: FloatArray, predicted: FloatArray) -> SideScores:
    values = {name: value for name in card.__struct_fields__ if isinstance(value := getattr(card, name), Value)}
    tenths = np.array_split(np.argsort(predicted, kind="stable"), _TENTHS)
    return SideScores(
        side=str(side),
        hours=card.intervals,
        realised_usd=float(realised.sum()),
        values=values,
        pit=card.pit,
        reliability=tuple((float(predicted[part].mean()), float(realised[part].mean())) for part in tenths if part.size),
    )


def _rivals(report: Report) -> tuple[Rival, ...]:
    scored = {row.predictor: row.scopes[0] for row in report.rows if row.scopes and row.predictor != MAP}
    differences = {each.against: each.d2_mean for each in report.comparisons}
    return tuple(
        Rival(
            predictor=name,
            d2_long=scope.long.d2.value if scope.long.d2.value is not None else float("nan"),
            d2_short=scope.short.d2.value if scope.short.d2.value is not None else float("nan"),
            difference=differences[name],
        )
        for name, scope in scored.items()
        if name in differences
    )


def prints_of(store: Store, instrument: InstrumentId, from_ns: int, to_ns: int) -> Placed | None:
    """Return stored forced orders with their published prices; None if there are none in [from_ns, to_ns)."""
    rows = store.read(Table.LIQUIDATIONS, instrument, start_ns=from_ns, end_ns=to_ns)
    if rows.is_empty():
        return None
    price = rows["price"].to_numpy()
    return Placed(
        ts_ns=rows["ts"].to_numpy(),
        side=(rows["position_side"] == "short").cast(int).to_numpy(),
        low=price,
        high=price,
        usd=price * rows["quantity_base"].to_numpy(),
        source="prints",
    )
