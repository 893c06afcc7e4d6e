"""The badge of a map (feature F24): what the stored verdict on its instruments allows to say at the instant of the map."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import msgspec
from msgspec import Struct

from liqscape.clock import iso, utc_date
from liqscape.engine.workspace import Workspace
from liqscape.estimate import MODEL
from liqscape.model import InstrumentId
from liqscape.units import NS_PER_DAY

NAMESPACE = "verdict"  # of the small state, where `validate` writes; the key is the instrument
OFF, UNTESTED, WEAK, TESTED = "off", "untested", "weak", "tested"
STATES = (OFF, UNTESTED, WEAK, TESTED)  # from worst to best
_STALE_NS = 30 * NS_PER_DAY


class LiftInterval(Struct, frozen=True, kw_only=True):
    """Share of liquidated dollars on the densest quarter of traded levels over the share by distance alone; 90 % interval."""

    median: float | None
    lo: float | None
    hi: float | None
    level: float = 0.9


class Badge(Struct, frozen=True, kw_only=True):
    """The out-of-sample record of a map's instrument in short; of several instruments, the one that did worst.

    Parameters
    ----------
    state
        `tested`, `weak`, `untested` or `off`: as the verdict found it.
    days
        Scored days.
    coverage
        Share of the scored hours inside the 80 % bands, per side (long, short); None unknown.
    d2
        Share of the deviance of hourly liquidations explained, given the path, per side (long, short); None unknown.
    from_, to
        Instants between which it was scored.
    reasons
        Why the state is what it is.
    stale
        Why the verdict does not speak for this map any more; None while it does. A stale one is worth no more than none.
    """

    state: str = UNTESTED
    lift: LiftInterval | None = None
    days: int = 0
    coverage: tuple[float | None, float | None] | None = None
    d2: tuple[float | None, float | None] | None = None
    instrument: str | None = None
    model: str | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    computed_at: str | None = None
    inputs_hash: str | None = None
    reasons: tuple[str, ...] = ()
    stale: str | None = None

    @property
    def counts_as(self) -> str:
        """The state that a caller may rely on: a stale record is no record, except that OFF stays OFF."""
        return UNTESTED if self.stale is not None and self.state != OFF else self.state

    @property
    def has_record(self) -> bool:
        """Whether there is an out-of-sample record that speaks for the map."""
        return self.counts_as != UNTESTED

    @property
    def text(self) -> str:
        """`TESTED lift 1.3 [1.1-1.5]`, `WEAK lift 1.01 [0.97-1.04], 41 d`, `UNTESTED`, with `STALE` behind it where it is."""
        words = self.state.upper()
        lift = self.lift
        if self.state != UNTESTED and lift is not None and lift.median is not None:
            words += f" lift {lift.median:.2f}"
            if lift.lo is not None and lift.hi is not None:
                words += f" [{lift.lo:.2f}-{lift.hi:.2f}]"
            words += f", {self.days} d"
        return f"{words}, STALE" if self.stale is not None else words


def badge(workspace: Workspace, instruments: Iterable[InstrumentId], as_of_ns: int, model: str = MODEL) -> Badge:
    """Return the badge of a map.

    Parameters
    ----------
    as_of_ns
        The map's instant: a verdict whose last scored hour lies more than 30 days before it is stale.
    model
        What made the map: a verdict on another model is stale.
    """
    found = [_one(workspace, instrument, as_of_ns, model) for instrument in instruments]
    return min(found, key=lambda each: STATES.index(each.counts_as), default=Badge())


def _one(workspace: Workspace, instrument: InstrumentId, as_of_ns: int, model: str) -> Badge:
    stored = workspace.state.get(NAMESPACE, str(instrument))
    if not isinstance(stored, dict):
        return Badge(instrument=str(instrument))
    verdict = cast("dict[str, Any]", stored)
    try:
        lift = verdict["lift"]
        sides: dict[str, Any] = {side["side"]: side["values"] for side in verdict["sides"]}
        to_ns = int(verdict["to_ns"])
        return Badge(
            state=verdict["state"] if verdict["state"] in STATES else UNTESTED,
            lift=None if lift is None else _interval(lift["lift"]),
            days=int(verdict["days"]),
            coverage=_pair(sides, "coverage_80"),
            d2=_pair(sides, "d2"),
            instrument=str(instrument),
            model=verdict["model"],
            from_=iso(int(verdict["from_ns"])),
            to=iso(to_ns),
            computed_at=iso(int(verdict["computed_at_ns"])),
            inputs_hash=verdict["inputs_hash"],
            reasons=tuple(verdict["reasons"]),
            stale=_stale(verdict["model"], model, to_ns, as_of_ns),
        )
    except (KeyError, TypeError, ValueError):  # an older version wrote it in another shape: no record
        return Badge(instrument=str(instrument))


def _stale(scored: str, model: str, to_ns: int, as_of_ns: int) -> str | None:
    if scored != model:
        return f"the verdict is on model {scored}, the map was made by {model}"
    if as_of_ns - to_ns > _STALE_NS:
        return f"its last scored hour is of {utc_date(to_ns)}, {(as_of_ns - to_ns) // NS_PER_DAY} days before the map"
    return None


def _interval(value: Any) -> LiftInterval:
    # `Value` is written as an object with value, lo and hi.
    return LiftInterval(median=value["value"], lo=value["lo"], hi=value["hi"])


def _pair(sides: dict[str, Any], name: str) -> tuple[float | None, float | None] | None:
    long, short = (cast("float | None", sides.get(side, {}).get(name, {}).get("value")) for side in ("long", "short"))
    return None if long is None and short is None else (long, short)
