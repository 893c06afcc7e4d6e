"""Maps and heatmaps of stored instruments, which print themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np
import polars as pl

from liqscape.analytics import caveats_for, filter_map
from liqscape.analytics import headline as headline_of
from liqscape.api._arguments import Home, Venues, instant, venue_names, workspace
from liqscape.api.frames import frame
from liqscape.clock import Instant, iso
from liqscape.engine.heat import ROWS, build_heatmap
from liqscape.engine.issue import issue
from liqscape.engine.maps import build_map, parse_reading
from liqscape.engine.verdict import Badge, badge
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import Heatmap, LiquidationMap
from liqscape.units import format_percent, format_price, format_usd, parse_duration_ns


@dataclass(frozen=True, repr=False)
class Map(LiquidationMap):
    """A map that prints itself: headline and ladder as text, a picture in notebooks.

    Parameters
    ----------
    badge
        The out-of-sample record of its instrument.

    Examples
    --------
    >>> import liqscape as ls
    >>> m = ls.map("BTC")  # doctest: +SKIP
    >>> m.to_polars()  # doctest: +SKIP
    """

    badge: Badge = field(default_factory=Badge)

    def __repr__(self) -> str:
        """Return at most 14 lines: headline, what it is of, pools by distance, caveats."""
        where = ", ".join(str(i) for i in self.instruments)
        simulated, record = "SIMULATED " if self.simulated else "", self.badge.text
        lines = [
            f"{simulated}{self.asked}  mark {format_price(self.mark_price)}  as of {iso(self.as_of_ns)}  {where}  [{record}]",
            headline_of(self),
            f"{'within':>8}  {'longs below':>12}  {'shorts above':>12}  prior",
        ]
        for within in (0.01, 0.02, 0.05, 0.10, 0.20):
            n = round(within / 0.001)
            long, short = float(self.long.usd[:n].sum()), float(self.short.usd[:n].sum())
            prior = float(self.long.prior_usd[:n].sum() + self.short.prior_usd[:n].sum())
            share = format_percent(prior / (long + short) if long + short > 0 else None, decimals=0)
            name = format_percent(within, decimals=0)
            lines.append(f"{name:>8}  {format_usd(long):>12}  {format_usd(short):>12}  {share}")
        lines += [f"{c.code} {c.text}" for c in caveats_for(self, "map", tested=self.badge.has_record)[:4]]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the picture with the text behind it, for notebooks."""
        from io import StringIO

        from liqscape.plot import plot_map

        out = StringIO()
        plot_map(self, headline=headline_of(self), size=(1100, 650), badge=self.badge.text).savefig(out, format="svg")
        svg = out.getvalue()
        text = escape(repr(self))
        return f"<div>{svg[svg.index('<svg') :]}<details><summary>as text</summary><pre>{text}</pre></details></div>"

    def to_polars(self) -> pl.DataFrame:
        """Return the levels, ascending in price: price, distance, dollars and contracts by side, prior dollars."""
        return frame(self)

    def to_pandas(self) -> object:
        """Return the levels as a pandas frame (needs the extra `pandas`)."""
        from pandas import DataFrame

        return DataFrame({column.name: column.to_numpy() for column in frame(self)})

    def to_numpy(self) -> FloatArray:
        """Return (price, long_usd, short_usd) as float64[levels, 3], ascending in price."""
        return frame(self).select("price", "long_usd", "short_usd").to_numpy().astype(np.float64)

    def plot(self, path: str | Path | None = None, *, within: float = 0.15) -> object:
        """Draw the map; returns a matplotlib figure, and writes it if a path (.png, .svg) is given."""
        from liqscape.api.pictures import plot

        return plot(self, path, within=within)


@dataclass(frozen=True)
class History(Heatmap):
    """A heatmap with the out-of-sample record of its instrument."""

    badge: Badge = field(default_factory=Badge)


def map(
    asked: str,
    *,
    as_of: Instant | None = None,
    window: str | None = None,
    venue: Venues = None,
    side: str | None = None,
    leverage: str | None = None,
    min_usd: float | None = None,
    reading: str = "published",
    home: Home = None,
) -> Map:
    """Return the liquidation map of an instrument or a base.

    Parameters
    ----------
    asked
        `binance:BTCUSDT`, or a bare base such as `BTC` for all stored instruments of it.
    as_of
        Replay: only what was known then is used. Default: the end of the newest stored bar.
    window
        Stretch of stored bars that builds the state, such as `90d`; default `1y`.
    venue, side, leverage, min_usd
        Leave the rest out; the map's `filters` say so. `leverage="10-50"` keeps tiers by 1 / distance.
    reading
        `published` dollars (what feeds show) or `true` (divided by the setting reported_share).
    home
        Folder of the store; default LIQSCAPE_HOME or the platform's.

    Raises
    ------
    NoData
        If nothing stored answers (UnknownInstrument, OutOfRecord are kinds of it).
    BadArgument
        If a value makes no sense.
    """
    opened = workspace(home)
    found = build_map(
        opened,
        asked,
        as_of_ns=instant(as_of),
        window=window,
        venues=venue_names(venue),
        reading=parse_reading(reading),
    )
    if side is not None or leverage is not None or min_usd is not None:
        found = filter_map(found, side=side, leverage=leverage, min_usd=min_usd)
    issue(opened, found)
    return Map(**vars(found), badge=badge(opened, found.instruments, found.as_of_ns, found.model))


def heatmap(
    asked: str,
    *,
    as_of: Instant | None = None,
    window: str | None = None,
    within: float | None = None,
    rows: int = ROWS,
    interval: str | None = None,
    venue: Venues = None,
    reading: str = "published",
    home: Home = None,
) -> History:
    """Return the map over time: one column per `interval`, each from what was known at its end.

    Parameters
    ----------
    window
        Stretch of time shown, such as `30d` (the default).
    within
        Reach of the price axis beyond the window's own range, fraction.
    rows
        Rows at most.
    interval
        Width of a column, such as `1h`; default: a bar.
    asked, as_of, venue, reading, home
        As in `map`.

    Raises
    ------
    NoData, BadArgument
        As in `map`.
    """
    opened = workspace(home)
    found = build_heatmap(
        opened,
        asked,
        as_of_ns=instant(as_of),
        window=window,
        within=within,
        rows=rows,
        column_ns=parse_duration_ns(interval) if interval is not None else None,
        venues=venue_names(venue),
        reading=parse_reading(reading),
    )
    issue(opened, found)
    record = badge(opened, [each.instrument for each in found.inputs], found.as_of_ns, found.model)
    return History(**vars(found), badge=record)
