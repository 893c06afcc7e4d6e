"""Measured positions of tracked accounts, in columns."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from liqscape.errors import BadArgument
from liqscape.model.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class PositionSample:
    """Positions of one instrument at several instants; one row for each account that was seen at an instant.

    Parameters
    ----------
    ts_ns : int64[n], ns UTC, instant of the snapshot
    account : int64[n]
    sign : int64[n], +1 long, -1 short, 0 if the account held nothing (then quantity is 0)
    quantity_base, entry_price : float64[n], base units, quote per base
    liquidation_price : float64[n], quote per base, NaN where no price liquidates
    mark_price : float64[n], quote per base, at the instant

    Raises
    ------
    BadArgument
        If an account appears twice at an instant, or a held position has no size, entry or mark.
    """

    ts_ns: IntArray
    account: IntArray
    sign: IntArray
    quantity_base: FloatArray
    entry_price: FloatArray
    liquidation_price: FloatArray
    mark_price: FloatArray

    def __post_init__(self) -> None:
        held = self.held
        if np.unique(np.stack([self.ts_ns, self.account]), axis=1).shape[1] != self.ts_ns.size:
            raise BadArgument(
                "position sample: an account appears twice at one instant", hint="Join its legs, or number them apart."
            )
        for name in ("quantity_base", "entry_price", "mark_price"):
            values = getattr(self, name)[held]
            if not (values > 0.0).all():
                raise BadArgument(f"position sample: a held position has a {name} that is not positive")

    def __len__(self) -> int:
        return self.ts_ns.size

    @property
    def held(self) -> BoolArray:
        """bool[n], whether the row is a position."""
        return self.sign != 0

    @property
    def notional_usd(self) -> FloatArray:
        """float64[n], at the mark."""
        return np.where(self.held, self.quantity_base * self.mark_price, 0.0)

    def select(self, rows: BoolArray) -> PositionSample:
        """Return some of the rows."""
        return PositionSample(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def distance_from_mark(self) -> FloatArray:
        """float64[n], how far the mark may move against the position, fraction of the mark; inf where no price liquidates."""
        return _known(self.sign * (1.0 - self.liquidation_price / self.mark_price))

    def distance_from_entry(self) -> FloatArray:
        """float64[n], the same from entry, fraction of the entry price.

        An account that took profits out may have its level on the good side of entry; then the distance from the mark is taken.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = _known(self.sign * (1.0 - self.liquidation_price / self.entry_price))
        return np.where(distance > 0.0, distance, self.distance_from_mark())


def _known(distance: FloatArray) -> FloatArray:
    return np.where(np.isfinite(distance), np.maximum(distance, 1e-6) * (distance > 0.0), np.inf)
