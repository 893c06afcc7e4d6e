"""Anything that a door returns, as a polars frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
import numpy as np
import polars as pl

from liqscape.analytics import Asymmetry, Ladder, MoveTo, Zones
from liqscape.engine.tape import Published
from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import Heatmap, LiquidationMap

LEVEL_DIGITS, PRICE_DIGITS = 6, 9
_TENS = np.array([10.0**power for power in range(23)])  # those that a double holds exactly


def frame(result: object) -> pl.DataFrame:
    """Turn a result into a polars frame.

    Parameters
    ----------
    result
        A map (levels, ascending in price), a heatmap (long form: ts, price, usd_per_permille, prior_share), published
        liquidations (ts, long_usd, short_usd) or a reading (one row per window, move, zone, ladder row or account; an
        estimate becomes columns `x`, `x_lo`, `x_hi`, `x_prior_share`).

    Raises
    ------
    BadArgument
        If it is none of these.
    """
    if isinstance(result, LiquidationMap):
        return _levels(result)
    if isinstance(result, Heatmap):
        return _cells(result)
    if isinstance(result, Published):
        return _published((result,))
    if isinstance(result, Asymmetry):
        return _rows(result.within + result.ranges)
    if isinstance(result, MoveTo):
        return _rows(result.moves)
    if isinstance(result, Zones):
        return _rows(result.zones)
    if isinstance(result, Ladder):
        return _rows(result.short[::-1] + result.long)
    if isinstance(result, tuple):
        many = cast("tuple[object, ...]", result)
        published = [item for item in many if isinstance(item, Published)]
        return _published(published) if published else _rows(many)
    if isinstance(result, msgspec.Struct):
        return _rows((result,))
    raise BadArgument(f"frame: expected a map or a reading, received {type(result).__name__}")


def told_levels(found: LiquidationMap) -> list[dict[str, float | None]]:
    """Return the levels of a map as JSON tells them: the rows of its frame, rounded.

    Dollars and contracts have six significant digits, so any sum of levels is within five parts in a million of the same sum of
    the map's own; sixteen digits of a number that is known to a few per cent would make the answer twice as long.
    """
    exact = frame(found)
    digits = {"price": PRICE_DIGITS}
    near = {name: rounded(exact[name].to_numpy(), digits.get(name, LEVEL_DIGITS)) for name in exact.columns}
    near["distance"] = np.round(exact["distance"].to_numpy().astype(np.float64), 6)  # buckets of 0.1 %
    return pl.DataFrame(near).to_dicts()


def rounded(values: np.ndarray[Any, Any], digits: int) -> FloatArray:
    """Round to significant digits, to the very numbers that are written so; what is not finite or 0 stays.

    Examples
    --------
    >>> rounded(np.array([1601375.4693621441, 0.02225286865416853, -3.0, 0.0]), 4).tolist()
    [1601000.0, 0.02225, -3.0, 0.0]
    """
    exact = values.astype(np.float64)
    known = np.isfinite(exact) & (exact != 0.0)
    size = np.floor(np.log10(np.abs(np.where(known, exact, 1.0)))).astype(np.int64)
    after = np.clip(digits - 1 - size, -22, 22)
    up, down = _TENS[np.maximum(after, 0)], _TENS[np.maximum(-after, 0)]
    return np.where(known, np.round(exact * up / down) / up * down, exact)


def _levels(found: LiquidationMap) -> pl.DataFrame:
    price = np.concatenate((found.long.mid_price[::-1], found.short.mid_price))
    nothing = np.zeros(found.long.usd.size)

    def long(values: Any) -> Any:
        return np.concatenate((values[::-1], nothing))

    def short(values: Any) -> Any:
        return np.concatenate((nothing, values))

    return pl.DataFrame(
        {
            "price": price,
            "distance": price / found.mark_price - 1.0,
            "long_usd": long(found.long.usd),
            "short_usd": short(found.short.usd),
            "long_base": long(found.long.base),
            "short_base": short(found.short.base),
            "prior_usd": long(found.long.prior_usd) + short(found.short.prior_usd),
            "measured_usd": long(found.long.measured_usd) + short(found.short.measured_usd),
        }
    )


def _cells(found: Heatmap) -> pl.DataFrame:
    rows, columns = found.usd_per_permille.shape
    price = np.sqrt(found.edge_price[1:] * found.edge_price[:-1])
    return pl.DataFrame(
        {
            "ts": np.repeat(found.start_ns, rows),
            "price": np.tile(price, columns),
            "usd_per_permille": found.usd_per_permille.T.ravel(),
            "prior_share": found.prior_share.T.ravel(),
        }
    ).with_columns(pl.col("ts").cast(pl.Datetime("ns", "UTC")), pl.col("usd_per_permille").fill_nan(None))


def _published(parts: Sequence[Published]) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame(
            {
                "instrument": [str(part.instrument)] * len(part.series),
                "ts": part.series.start_ns,
                "long_usd": part.series.long_usd,
                "short_usd": part.series.short_usd,
            }
        ).with_columns(pl.col("ts").cast(pl.Datetime("ns", "UTC")))
        for part in parts
    )


def _rows(items: Sequence[object]) -> pl.DataFrame:
    return pl.DataFrame([_flat(msgspec.to_builtins(item)) for item in items], infer_schema_length=None)


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten estimates and nested readings into columns; lists become text."""
    out: dict[str, Any] = {}
    for key, value in row.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and "median" in value and "level" in value:
            estimate = cast("dict[str, Any]", value)
            out[name] = estimate["median"]
            out |= {f"{name}_{end}": estimate[end] for end in ("lo", "hi", "prior_share")}
        elif isinstance(value, dict):
            out |= _flat(cast("dict[str, Any]", value), f"{name}_")
        elif isinstance(value, list | tuple):
            out[name] = msgspec.json.encode(value).decode()
        else:
            out[name] = value
    return out
