"""Levels of followed positions, plain and slow: one account after the other, with the scalar cross-margin rule."""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl

from liqscape.errors import BadArgument
from liqscape.margin import CrossPosition, TierTable, cross_liquidation_price, flat_tiers
from liqscape.model import PositionSide

AGREES = 0.01


def levels(rows: pl.DataFrame, name: str, marks: Mapping[str, float], tiers: Mapping[str, TierTable]) -> list[float]:
    """The level of each account's position in `name`, NaN where there is none."""
    return [_level(group.to_dicts(), name, marks, tiers) for _, group in rows.group_by("account", maintain_order=True)]


def _level(legs: list[dict], name: str, marks: Mapping[str, float], tiers: Mapping[str, TierTable]) -> float:
    mine = next(leg for leg in legs if leg["instrument"] == name)
    cross = [leg for leg in legs if leg["margin_mode"] == "cross"]
    said = math.nan if mine["liquidation_price"] is None else mine["liquidation_price"]
    if mine["margin_mode"] != "cross" or len(cross) < 2:
        return said
    wallet = mine["equity_usd"] - sum(leg["quantity_base"] * (leg["mark_price"] - leg["entry_price"]) for leg in cross)
    ordered = [mine, *(leg for leg in cross if leg is not mine)]
    try:
        then, now = (_solve(ordered, at, wallet, tiers) for at in ({}, marks))
    except BadArgument:
        return said
    if math.isnan(said) or then is None:
        both = math.isnan(said) and then is None
        return (math.nan if now is None else now) if both else said
    if abs(then / said - 1.0) > AGREES:
        return said
    return math.nan if now is None else now + (said - then)


def _solve(legs: list[dict], marks: Mapping[str, float], wallet: float, tiers: Mapping[str, TierTable]) -> float | None:
    positions = []
    for leg in legs:
        table = tiers.get(leg["instrument"])
        if table is None and leg["max_leverage"] is None:
            raise BadArgument("no table")
        positions.append(
            CrossPosition(
                entry_price=leg["entry_price"],
                mark_price=marks.get(leg["instrument"], leg["mark_price"]),
                quantity_base=abs(leg["quantity_base"]),
                position_side=PositionSide.LONG if leg["quantity_base"] > 0 else PositionSide.SHORT,
                tiers=table or flat_tiers(0.5 / leg["max_leverage"]),
            )
        )
    return cross_liquidation_price(positions[0], wallet_balance_usd=wallet, others=positions[1:])
