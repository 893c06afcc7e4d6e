"""The record of a map: its verdict, the ledger of what was issued, and what followed every lopsided day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqscape.api._arguments import Home, Venues, fractions, instant, venue_names, workspace
from liqscape.clock import Instant
from liqscape.engine.episodes import RATIO, WITHIN, Episodes, build_episodes
from liqscape.engine.survivors import EVERY_NS, HORIZONS_H, survivor_record
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.model import BarSeries, InstrumentId, LiquidationSeries
from liqscape.model.arrays import IntArray
from liqscape.store import open_ledger, read_bars, read_funding, read_liquidations
from liqscape.units import NS_PER_HOUR

if TYPE_CHECKING:
    from liqscape.validate.claims import MagnetCard
    from liqscape.validate.ledger import Verification
    from liqscape.validate.report import Judged
    from liqscape.validate.verdict import Verdict

MAGNET = "magnet"  # of the small state, where the card of the test of attraction is kept; the key is the instrument


def accuracy(
    asked: str, *, refresh: bool = False, from_: Instant | None = None, to: Instant | None = None, home: Home = None
) -> Verdict | None:
    """Return how the map of an instrument did out of sample (F24): badge, lift, scores; None while it was never scored.

    Parameters
    ----------
    asked
        `binance:BTCUSDT`, or a base that one stored instrument has.
    refresh
        Score it now on what is stored, and keep the verdict: every map shows its badge from then on.
    from_, to
        With `refresh`: the scored window; default: the last third of the record.

    Raises
    ------
    UnknownInstrument, NoData
        If nothing stored answers, or too little of it to score.
    BadArgument
        If the name means several instruments.
    """
    from liqscape.validate.verdict import read_verdict

    opened = workspace(home)
    instrument = one_instrument(opened, asked)
    if refresh:
        return refresh_verdict(opened, instrument, from_ns=instant(from_, "from_"), to_ns=instant(to, "to"))
    if from_ is not None or to is not None:
        raise BadArgument("from_, to: only what is scored anew has a window to choose", hint="Give refresh=True too.")
    return read_verdict(opened.state, str(instrument))


def episodes(
    asked: str,
    *,
    within: str | float = WITHIN,
    ratio: float = RATIO,
    as_of: Instant | None = None,
    venue: Venues = None,
    home: Home = None,
) -> tuple[Episodes, ...]:
    """Return every stored day on which one side held far more than the other, and what followed (F27); failures first.

    Parameters
    ----------
    asked
        A name; one record per instrument that it means.
    within
        Distance window.
    ratio
        Greater pool over smaller one from which a day counts as lopsided.

    Raises
    ------
    UnknownInstrument, NoData, BadArgument
        If nothing stored answers, or the words make no sense.
    """
    found = fractions(within)
    if len(found) != 1:
        raise BadArgument(f"within: expected one distance, received {within!r}", hint="Write it like 5%.")
    return build_episodes(
        workspace(home), asked, as_of_ns=instant(as_of), within=found[0], least_ratio=ratio, venues=venue_names(venue)
    )


def verify(*, head: str | None = None, home: Home = None) -> Verification:
    """Walk the ledger of issued maps; whatever was edited, inserted, removed or reordered is found.

    Parameters
    ----------
    head
        Hash of the last entry as it was noted earlier: proves that nothing before it was rewritten since.
    """
    from liqscape.validate.ledger import verify as walk

    return walk(open_ledger(workspace(home).home), head)


def one_instrument(opened: Workspace, asked: str) -> InstrumentId:
    """Return the one stored instrument that a name means.

    Raises
    ------
    BadArgument
        If it means several: a record is of one.
    """
    found = opened.resolve(asked)
    if len(found) != 1:
        names = ", ".join(str(each) for each in found)
        raise BadArgument(f"accuracy: {asked!r} means several instruments", hint=f"Choose one: {names}.")
    return found[0]


def refresh_verdict(
    opened: Workspace, instrument: InstrumentId, *, from_ns: int | None = None, to_ns: int | None = None
) -> Verdict:
    """Score an instrument on what is stored, beside the simplest baselines, and keep the verdict."""
    from liqscape.validate import predict, validate

    bars, liquidations = read_bars(opened.store, instrument), read_liquidations(opened.store, instrument)
    rates = read_funding(opened.store, instrument).sort("known_ns")
    funding = None if rates.is_empty() else (rates["known_ns"].to_numpy(), rates["rate"].to_numpy())
    judged = validate(
        predict(bars, liquidations, funding=funding),
        str(instrument),
        from_ns=from_ns,
        to_ns=to_ns,
        baselines=False,
        boosting=False,
    )
    return keep_verdict(opened, instrument, judged, bars, liquidations)


def keep_verdict(
    opened: Workspace, instrument: InstrumentId, judged: Judged, bars: BarSeries, liquidations: LiquidationSeries
) -> Verdict:
    """Turn scores of stored rows into the verdict on the instrument, and store it."""
    from liqscape.validate.settle import prints_of, settle
    from liqscape.validate.verdict import store_verdict

    report = judged.report
    verdict = settle(
        judged,
        bars,
        liquidations,
        prints=prints_of(opened.store, instrument, report.from_ns, report.to_ns),
        survivor_share=_survivor_share(bars, liquidations, report.from_ns, report.to_ns),
        simulated=opened.is_simulated(instrument),
    )
    store_verdict(opened.state, verdict)
    return verdict


def note_card(opened: Workspace, instrument: InstrumentId) -> MagnetCard:
    """Run the registered test of attraction on what is stored, and keep its card (F23)."""
    from msgspec import to_builtins

    from liqscape.validate.claims import magnet_card

    card = magnet_card(read_bars(opened.store, instrument), read_liquidations(opened.store, instrument))
    opened.state.set(MAGNET, str(instrument), to_builtins(card))
    return card


def _survivor_share(bars: BarSeries, liquidations: LiquidationSeries, from_ns: int, to_ns: int) -> dict[str, float]:
    """Share of what was swept in the window that stood in the map 1, 4 and 24 hours before; empty where it cannot be told."""
    import numpy as np

    first = -(-from_ns // NS_PER_HOUR) * NS_PER_HOUR
    last = min(to_ns, int(bars.end_ns[-1])) - HORIZONS_H[-1] * NS_PER_HOUR
    starts: IntArray = np.arange(first, last + 1, EVERY_NS, dtype=np.int64)
    if not starts.size or NS_PER_HOUR % bars.interval_ns:
        return {}
    try:
        return survivor_record(bars, liquidations, starts).shares()
    except NoData:
        return {}
