"""Followed accounts as a prior of their instrument's weights. Opt-in (`measured_prior`): docs/truth.md found no gain in it."""

from __future__ import annotations

import numpy as np
import polars as pl

from liqscape.calibrate import PositionPrior, PositionSample, position_prior
from liqscape.engine.replay import Tape
from liqscape.engine.workspace import Workspace
from liqscape.errors import NoData
from liqscape.estimate import Recipe, members
from liqscape.store import Table
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, parse_duration_ns

WINDOW_NS, EVERY_NS = 14 * NS_PER_DAY, 6 * NS_PER_HOUR
LEAST_ACCOUNTS = 100
LEAST_EFFECTIVE = 15.0  # positions of a side, counted by notional: fewer large accounts are no population
TRUST = 0.5  # accounts are found on a public list and in trades, not drawn by lot


def stored_sample(workspace: Workspace, tape: Tape, as_of_ns: int) -> PositionSample:
    """Return how the followed accounts of an instrument stood every six hours of the last two weeks.

    At each instant an account counts with the newest look that was known then and is younger than `position_max_age`.
    """
    max_age_ns = parse_duration_ns(workspace.settings.position_max_age)
    rows = workspace.store.read(
        Table.POSITIONS,
        tape.instrument,
        start_ns=as_of_ns - WINDOW_NS - max_age_ns,
        end_ns=as_of_ns + 1,
        known_by_ns=as_of_ns,
    ).sort("ts")
    parts: list[pl.DataFrame] = []
    for at in range(as_of_ns - WINDOW_NS, as_of_ns + 1, EVERY_NS):
        bar = int(np.searchsorted(tape.bars.end_ns, at, side="right")) - 1
        if bar < 0:
            continue
        known = rows.filter(pl.col("ts") <= at, pl.col("ts") > at - max_age_ns, pl.coalesce("ts_recv", "ts") <= at)
        last = known.group_by("account").last()
        parts.append(last.with_columns(at=pl.lit(at, pl.Int64()), mark=pl.lit(float(tape.bars.close[bar]))))
    found = pl.concat(parts) if parts else rows.with_columns(at=pl.col("ts"), mark=pl.col("mark_price"))
    names = found.get_column("account").to_numpy()
    quantity = found.get_column("quantity_base").to_numpy()
    return PositionSample(
        ts_ns=found.get_column("at").to_numpy(),
        account=np.unique(names, return_inverse=True)[1].astype(np.int64),
        sign=np.sign(quantity).astype(np.int64),
        quantity_base=np.abs(quantity),
        entry_price=found.get_column("entry_price").fill_null(np.nan).to_numpy(),
        liquidation_price=found.get_column("liquidation_price").fill_null(np.nan).to_numpy(),
        mark_price=found.get_column("mark").to_numpy(),
    )


def measured_prior(workspace: Workspace, tape: Tape, as_of_ns: int) -> PositionPrior | None:
    """Return what the followed accounts say of the weights, or None where they are too few to be a population.

    Only the shape over distances is taken, half trusted; lifetimes of followed accounts spoil the prediction.
    """
    try:
        prior = position_prior(stored_sample(workspace, tape, as_of_ns), trust=TRUST, lives=False)
    except NoData:
        return None
    enough = prior.accounts >= LEAST_ACCOUNTS and float(prior.effective_positions.min()) >= LEAST_EFFECTIVE
    return prior if enough else None


def recipes_of(workspace: Workspace, tape: Tape, as_of_ns: int) -> tuple[Recipe, ...] | None:
    """Return the ensemble of a map: with the measured prior if that is asked for and possible, else None (as shipped)."""
    if not workspace.settings.measured_prior:
        return None
    prior = measured_prior(workspace, tape, as_of_ns)
    return None if prior is None else members(prior.recipe())
