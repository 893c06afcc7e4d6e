"""A home folder opened: its store, small state and settings, and which instruments a name means."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import cast

import msgspec

from liqscape import settings as settings_module
from liqscape.errors import UnknownInstrument
from liqscape.model import Instrument, InstrumentId, InstrumentSpec, describe
from liqscape.settings import Settings
from liqscape.store import DeltaStore, StateDb, Table, open_state, open_store

_INSTRUMENT, _RECORDED = "instrument", "recorded"
_Said = dict[str, str]


class Workspace:
    """Everything the engine needs of one home folder.

    Parameters
    ----------
    home
        The folder; default: LIQSCAPE_HOME or the platform's user data folder. Nothing is created until something is stored.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or settings_module.home()

    @cached_property
    def store(self) -> DeltaStore:
        """The embedded store."""
        return open_store(self.home)

    @cached_property
    def state(self) -> StateDb:
        """The small state."""
        return open_state(self.home)

    @cached_property
    def settings(self) -> Settings:
        """The settings in force."""
        return settings_module.load(self.home)

    def mark_simulated(self, instrument: InstrumentId) -> None:
        """Remember that an instrument's rows are simulated, so that every view says so."""
        self.state.set(_INSTRUMENT, str(instrument), {"simulated": True})

    def is_simulated(self, instrument: InstrumentId) -> bool:
        """Whether an instrument's rows are simulated."""
        return self.state.get(_INSTRUMENT, str(instrument)) == {"simulated": True}

    def remember(self, specs: Iterable[InstrumentSpec]) -> None:
        """Keep what venues say of instruments that are recorded: names need no guessing then."""
        values = {str(s.id): {"base": s.base, "quote": s.quote, "kind": s.kind.value} for s in specs}
        self.state.set_many(_RECORDED, values)

    def describe(self, instruments: Iterable[InstrumentId]) -> dict[InstrumentId, Instrument]:
        """Return what instruments are: as their venue said when they were recorded, else as their symbols read."""
        told = self.state.items(_RECORDED)
        found: dict[InstrumentId, Instrument] = {}
        for name in instruments:
            value = told.get(str(name))
            found[name] = describe(name) if value is None else msgspec.convert({"id": name, **cast("_Said", value)}, Instrument)
        return found

    def stored(self) -> tuple[InstrumentId, ...]:
        """Return every instrument with bars, sorted."""
        return tuple(sorted({c.instrument for c in self.store.coverage() if c.table is Table.BARS}))

    def resolve(self, asked: str, venues: tuple[str, ...] = ()) -> tuple[InstrumentId, ...]:
        """Return the instruments that a name means.

        Parameters
        ----------
        asked
            `binance:BTCUSDT`, or a bare base such as `BTC`: all stored instruments of that base. Simulated ones are among
            them only if no real one is stored.
        venues
            Keep these venues only; empty keeps all.

        Raises
        ------
        UnknownInstrument
            If nothing stored has this name.
        """
        if ":" in asked:
            return (InstrumentId.parse(asked),)
        stored = self.stored()
        base = asked.strip().upper()
        meant = self.describe(stored)
        found = tuple(i for i in stored if meant[i].base == base and (not venues or i.venue in venues))
        real = tuple(i for i in found if not self.is_simulated(i))
        if not found:
            names = ", ".join(str(i) for i in stored) or "nothing yet"
            first = f"`liqscape backfill {base} --days 30` asks the venues for it"
            hint = (
                f"{first}; `liqscape import PATH` reads files; `liqscape demo` needs neither."
                if not stored
                else f"Stored: {names}. {first}."
            )
            where = f" on {', '.join(venues)}" if venues else ""
            raise UnknownInstrument(f"no stored instrument matches {asked!r}{where}", hint=hint, context={"stored": names})
        return real or found
