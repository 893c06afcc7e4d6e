"""Answers over time: the heatmap, and the account of a region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from liqscape.analytics import Fuel
from liqscape.analytics.caveats import Caveat
from liqscape.api.answers.data import Candles, FuelAccount, FuelData, HeatmapData
from liqscape.api.frames import frame, rounded
from liqscape.api.question import Answered, Question, Words, level, option, said
from liqscape.clock import iso
from liqscape.engine.fuel import build_fuel
from liqscape.engine.heat import build_heatmap
from liqscape.engine.issue import issue
from liqscape.engine.maps import parse_reading
from liqscape.model import PriceGrid
from liqscape.model.heat_scale import DollarScale, Part
from liqscape.model.maps import Heatmap, LiquidationMap
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S, format_percent, parse_duration_ns

FUEL_WITHIN = "2%"
DATA_ROWS, DATA_COLUMNS = 300, 720  # of numbers given out, unless rows and interval say otherwise
_NICE_NS = tuple(
    [m * NS_PER_MINUTE for m in (1, 5, 15, 30)]
    + [h * NS_PER_HOUR for h in (1, 2, 4, 6, 8, 12)]
    + [d * NS_PER_DAY for d in (1, 2, 7)]
)


@dataclass(frozen=True)
class Shape:
    """What of a heatmap is asked for, as text; None leaves the choice to the program. `part` is for tiles only."""

    window: str | None = None
    state_window: str | None = None
    within: str | None = None
    rows: int | None = None
    interval: str | None = None
    scale: str | None = None
    part: Part | None = None

    def flags(self) -> list[str]:
        """Return the words to be typed again."""
        names = ("window", "within", "rows", "interval", "scale")
        return [word for name in names for word in option(f"--{name}", getattr(self, name))]


@dataclass(frozen=True)
class HeatParts:
    """`heatmap`; `locked` is the dollar scale that was asked for or set, None if it was chosen."""

    found: Heatmap
    scale: DollarScale
    locked: tuple[float, float] | None
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True)
class FuelParts:
    """`fuel`; `found` is the map of the later instant."""

    found: LiquidationMap
    accounts: tuple[Fuel, ...]
    sentence: str
    caveats: tuple[Caveat, ...]


def answer_heatmap(
    question: Question,
    words: Words,
    shape: Shape,
    *,
    columns: int | None = DATA_COLUMNS,
    rows: int | None = DATA_ROWS,
    numbers: bool = True,
) -> Answered[HeatParts]:
    """Answer `heatmap`: one map per column of time.

    Parameters
    ----------
    columns, rows
        How fine at most, unless `shape` says otherwise; None is as fine as the store.
    numbers
        Whether `data` is wanted; without it, it is None.
    """
    from liqscape.model.heat_scale import choose_scale, scale_between

    locked = question.prices("scale", shape.scale) if shape.scale is not None else _locked(question)
    found = find_heatmap(question, words, shape, columns, rows)
    scale = choose_scale(found) if locked is None else scale_between(*locked)
    caveats = question.caveats(found, "heatmap")
    return Answered(
        command="heatmap",
        data=heatmap_data(found, scale) if numbers else None,
        meta=question.meta(found, caveats),
        links=question.links(found.as_of_ns, shape.flags()),
        parts=HeatParts(found, scale, locked, caveats),
        table=lambda: frame(found),
    )


def find_heatmap(
    question: Question,
    words: Words,
    shape: Shape,
    columns: int | None,
    rows: int | None,
    *,
    grid: PriceGrid | None = None,
) -> Heatmap:
    """Return the heatmap that is meant, refused where it is older or worse than the caller allows; `grid` as in the engine."""
    window = question.duration("window", shape.window) if shape.window else question.workspace.settings.heatmap_window
    column_ns = None if columns is None else nice_column(parse_duration_ns(window), columns)
    if shape.interval is not None:
        column_ns = question.read("interval", shape.interval, parse_duration_ns)
    height = shape.rows or rows
    more: dict[str, Any] = {} if height is None else {"rows": height}
    found = build_heatmap(
        question.workspace,
        question.asked,
        as_of_ns=question.as_of_ns,
        window=window,
        within=None if shape.within is None else question.fraction("within", shape.within),
        column_ns=column_ns,
        venues=question.venues,
        reading=parse_reading(words.reading),
        state_window=None if shape.state_window is None else question.duration("state_window", shape.state_window),
        grid=grid,
        **more,
    )
    issue(question.workspace, found)
    question.guard(words, found)
    return found


def nice_column(window_ns: int, columns: int) -> int:
    """Return the narrowest usual width whose columns fit."""
    return next((width for width in _NICE_NS if width >= 5 * NS_PER_MINUTE and window_ns <= columns * width), _NICE_NS[-1])


def heatmap_data(found: Heatmap, scale: DollarScale) -> HeatmapData:
    """Return the data of `heatmap`."""
    return HeatmapData(
        interval_s=found.interval_ns / NS_PER_S,
        columns=[iso(int(start)) for start in found.start_ns],
        edge_price=found.edge_price,
        unit="USD per 0.1 % of price",
        usd=rounded(found.usd_per_permille, 4),
        prior_share=rounded(found.prior_share, 2),
        candles=Candles(open=found.open, high=found.high, low=found.low, close=found.close),
        scale=scale,
    )


def answer_fuel(
    question: Question, words: Words, *, since: str, within: str | None = None, range_: str | None = None
) -> Answered[FuelParts]:
    """Answer `fuel`: what became of the pools that stood near price at `since`."""
    reach = question.fraction("within", within or FUEL_WITHIN)
    span = None if range_ is None else question.prices("range", range_)
    # The map of the later instant says what the account rests on: inputs, weights, age.
    found = question.find_map(words)
    accounts = build_fuel(
        question.workspace,
        question.asked,
        since=since,
        as_of_ns=found.as_of_ns,
        within=reach,
        price_range=span,
        venues=question.venues,
        window=words.window,
    )
    sentence = said(found, " ".join(_fuel_sentence(each) for each in accounts))
    caveats = question.caveats(found, "fuel")
    flags = [*option("--within", within), *option("--range", range_), *option("--window", words.window)]
    return Answered(
        command="fuel",
        data=FuelData(headline=sentence, accounts=[_account(each) for each in accounts]),
        meta=question.meta(found, caveats),
        links=question.links(found.as_of_ns, ["--since", iso(accounts[0].reference_ns), *flags]),
        parts=FuelParts(found, accounts, sentence, caveats),
        table=lambda: frame(accounts),
    )


def _fuel_sentence(account: Fuel) -> str:
    left = "nothing stood there" if account.left_fraction is None else f"{format_percent(account.left_fraction, decimals=0)} left"
    region = account.region
    return f"{region.side.capitalize()} fuel {level(region.from_price)}-{level(region.to_price)}: {left}."


def _account(account: Fuel) -> FuelAccount:
    """Return an account with its instants as text."""
    facts = {name: getattr(account, name) for name in account.__struct_fields__ if name not in ("reference_ns", "as_of_ns")}
    return FuelAccount(reference=iso(account.reference_ns), as_of=iso(account.as_of_ns), **facts)


def _locked(question: Question) -> tuple[float, float] | None:
    """Return the dollar scale that the settings fix, None if they do not."""
    settings = question.workspace.settings
    if settings.heatmap_floor_usd is None or settings.heatmap_ceiling_usd is None:
        return None
    return settings.heatmap_floor_usd, settings.heatmap_ceiling_usd
