"""The words of a request: the same as in the shell, as query parameters; what is not known is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from liqscape.api.answers.history import Shape
from liqscape.api.answers.shocks import Shock
from liqscape.api.question import Words

Instrument = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9_\-.:]{1,48}$",
        description="`binance:BTCUSDT`, or a base such as `BTC`: all stored venues of it.",
        examples=["BTC"],
    ),
]
_LENGTH = 64  # no honest word is longer


class _Base(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Where(_Base):
    """Which rows are looked at."""

    as_of: str | None = Field(
        None, max_length=_LENGTH, description="Only what was known then, such as 2026-01-30T22:55Z; default: the newest rows."
    )
    venue: str | None = Field(None, max_length=256, description="Only these venues, comma-separated.")


class Built(Where):
    """How a map is built, and when it is not good enough."""

    window: str | None = Field(None, max_length=_LENGTH, description="Stretch of stored bars that builds the state, such as 90d.")
    reading: Literal["published", "true"] = Field("published", description="Dollars as feeds show them, or by reported_share.")
    max_age: str | None = Field(None, max_length=_LENGTH, description="503 if the newest input is older, such as 5m.")
    require: Literal["weak", "tested"] | None = Field(None, description="412 if the out-of-sample record is worse.")

    def words(self) -> Words:
        """Return the words of a question."""
        return Words(
            window=self.window,
            reading=self.reading,
            leverage=getattr(self, "leverage", None),
            min_usd=getattr(self, "min_usd", None),
            side=getattr(self, "side", None),
            max_age=self.max_age,
            require=self.require,
        )


class Filtered(Built):
    """What is left out on request."""

    leverage: str | None = Field(None, max_length=_LENGTH, description="Only positions of this leverage, such as 10-50.")
    min_usd: str | None = Field(None, max_length=_LENGTH, description="Only 0.1 % buckets that hold at least this, such as 1M.")


class MapQuery(Filtered):
    """`map`."""

    side: Literal["long", "short"] | None = Field(None, description="Only this side's positions.")
    within: str | None = Field(None, max_length=_LENGTH, description="Reach of the ladder, such as 5%.")
    step: str | None = Field(None, max_length=_LENGTH, description="Height of a bar, such as 0.5%.")
    range: str | None = Field(None, max_length=_LENGTH, description="A stretch of prices, such as 84000-100000.")


_OF_THE_PAGE = "How the page looks; changes no number."


class ViewQuery(Filtered):
    """The address of a view, with everything that the page writes into it."""

    side: Literal["long", "short", "both"] | None = Field(None, description="Only this side's positions.")
    within: str | None = Field(None, max_length=_LENGTH, description="Only levels so near, such as 5%.")
    step: str | None = Field(None, max_length=_LENGTH, description="Height of a bar, such as 0.5%.")
    range: str | None = Field(None, max_length=_LENGTH, description="A stretch of prices, such as 84000-100000.")
    look: str | None = Field(None, max_length=_LENGTH, description=_OF_THE_PAGE)
    scale: str | None = Field(None, max_length=_LENGTH, description=_OF_THE_PAGE)
    palette: str | None = Field(None, max_length=_LENGTH, description=_OF_THE_PAGE)
    axis: str | None = Field(None, max_length=_LENGTH, description=_OF_THE_PAGE)
    hide: str | None = Field(None, max_length=256, description=_OF_THE_PAGE)
    open: str | None = Field(None, max_length=_LENGTH, description=_OF_THE_PAGE)
    tab: str | None = Field(None, max_length=_LENGTH, description=_OF_THE_PAGE)
    pin: str | None = Field(None, max_length=_LENGTH, description=_OF_THE_PAGE)
    bench: str | None = Field(None, max_length=_LENGTH, description=_OF_THE_PAGE)
    shock: str | None = Field(None, max_length=_LENGTH, description="Of the cascade; changes no number of the map.")
    preset: str | None = Field(None, max_length=_LENGTH, description="Of the cascade; changes no number of the map.")
    usd: str | None = Field(None, max_length=256, description="Of the moves; changes no number of the map.")
    compare: str | None = Field(None, max_length=_LENGTH, description="The instant beside it; changes no number of the map.")

    def of_map(self) -> MapQuery:
        """Return the words of the map that this view shows."""
        asked = {name: getattr(self, name) for name in MapQuery.model_fields}
        return MapQuery.model_validate(asked | {"side": None if self.side == "both" else self.side})


class AsymmetryQuery(Filtered):
    """`asymmetry`."""

    within: str | None = Field(None, max_length=256, description="Distance windows, such as 1%,2%,5%.")
    range: str | None = Field(None, max_length=_LENGTH, description="A stretch of prices, printed with its mirror.")
    usd: str | None = Field(None, max_length=256, description="Budgets whose moves are added, such as 250M,1B.")


class MovesQuery(Filtered):
    """`move-to`."""

    usd: str | None = Field(None, max_length=256, description="Budgets, such as 250M,1B.")


class ZonesQuery(Filtered):
    """`zones`."""

    side: Literal["long", "short", "both"] | None = Field(None, description="Whose zones are listed.")
    within: str | None = Field(None, max_length=_LENGTH, description="Distance window, such as 15%.")
    top: int | None = Field(None, ge=1, le=100, description="The largest so many.")


class FuelQuery(Where):
    """`fuel`."""

    since: str = Field(max_length=_LENGTH, description="An instant, or a length of time before `as_of` such as 24h.")
    window: str | None = Field(None, max_length=_LENGTH, description="Stretch of stored bars that builds the state.")
    within: str | None = Field(None, max_length=_LENGTH, description="Reach from the mark at `since`, such as 2%.")
    range: str | None = Field(None, max_length=_LENGTH, description="Two prices instead of `within`.")
    max_age: str | None = Field(None, max_length=_LENGTH, description="503 if the newest input is older.")


class CascadeQuery(Built):
    """`cascade`."""

    shock: str | None = Field(None, max_length=_LENGTH, description="Dollars of outside flow, such as 500M.")
    push: str | None = Field(None, max_length=_LENGTH, description="As much as would push the price so far with no map.")
    preset: str = Field("now", max_length=_LENGTH, description="now, thin-hour or 2025-10-10.")
    direction: Literal["up", "down", "both"] = Field("both", description="Which way.")
    fund: list[str] = Field([], max_length=16, description="Insurance fund by venue, such as binance=1B.")
    seed: int | None = Field(None, ge=0, le=2**63 - 1, description="Which random numbers.")

    def shape(self) -> Shock:
        """Return the words of the shock."""
        return Shock(
            shock=self.shock,
            push=self.push,
            preset=self.preset,
            direction=self.direction,
            fund=tuple(self.fund),
            seed=self.seed,
        )


class HeatQuery(Built):
    """`heat` and `heatmap`; `window` is the stretch of time that is shown."""

    state_window: str | None = Field(None, max_length=_LENGTH, description="Stretch of stored bars that builds the state.")
    within: str | None = Field(None, max_length=_LENGTH, description="Reach beyond the window's own prices.")
    rows: int | None = Field(None, ge=2, le=1024, description="Rows at most.")
    interval: str | None = Field(None, max_length=_LENGTH, description="Width of a column, such as 1h.")
    scale: str | None = Field(None, max_length=_LENGTH, description="Dollar scale of the colours, such as 20K-5M.")

    def shape(self) -> Shape:
        """Return what of the heatmap is asked for."""
        return Shape(
            window=self.window,
            state_window=self.state_window,
            within=self.within,
            rows=self.rows,
            interval=self.interval,
            scale=self.scale,
        )


class TilesQuery(HeatQuery):
    """`heat`."""

    part: Literal["data", "all"] | None = Field(None, description="Whose dollars tiles hold; data, if any are known.")

    def shape(self) -> Shape:
        """Return what of the heatmap is asked for."""
        return replace(super().shape(), part=self.part)


class EpisodesQuery(Where):
    """`episodes`."""

    within: str | None = Field(None, max_length=_LENGTH, description="Distance window, such as 5%.")
    ratio: float | None = Field(None, gt=1.0, le=1e6, description="Greater pool over smaller one from which a day counts.")
    top: int | None = Field(None, ge=1, le=10_000, description="So many rows.")


class LiquidationsQuery(Where):
    """`liquidations`."""

    window: str = Field("7d", max_length=_LENGTH, description="Stretch of time, such as 7d.")
    side: Literal["long", "short", "both"] | None = Field(None, description="Only this side.")
    top: int | None = Field(None, ge=1, le=100_000, description="Only the largest intervals.")


class VenuesQuery(_Base):
    """`venues`."""

    venue: str | None = Field(None, max_length=256, description="Only these venues, comma-separated.")


class LedgerQuery(_Base):
    """`accuracy/ledger`."""

    head: str | None = Field(None, max_length=128, description="Hash of the last entry as it was noted earlier.")


class Nothing(_Base):
    """No words."""
