"""The venues from Python: their past into the store, and what each of them can tell."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from liqscape.api._arguments import Home, Venues, venue_names, workspace
from liqscape.clock import now_ns
from liqscape.errors import BadArgument
from liqscape.units import NS_PER_DAY

if TYPE_CHECKING:  # adapters and the network are loaded by who asks for them, not with every map
    from liqscape.engine.backfill import BackfillReport
    from liqscape.engine.venue_state import VenueState
    from liqscape.venues.transport import Transport

T = TypeVar("T")


def backfill(
    names: str | Sequence[str] = (),
    *,
    days: float = 30.0,
    top: int | None = None,
    venue: Venues = None,
    home: Home = None,
    transport: Transport | None = None,
) -> BackfillReport:
    """Ask venues for their public past and store it; asking again asks for the rest only.

    Parameters
    ----------
    names
        A base such as `BTC`, an instrument such as `bybit:BTCUSDT`, or several of them.
    days
        How far back.
    top
        The bases with the largest open interest instead of names.
    venue
        Only these venues; default: all.
    transport
        Where requests go; default: the network.

    Returns
    -------
    BackfillReport
        Per adapter what came, and in words what could not be had: a venue that fails stops no other.

    Raises
    ------
    NoData
        If every venue answered and none has what is wanted.
    BadArgument
        If a name means nothing.
    """
    from liqscape.engine.backfill import Backfill
    from liqscape.engine.recording.wanted import Wanted
    from liqscape.venues.registry import choose
    from liqscape.venues.transport import NetTransport

    if not 0.0 < days <= 3660.0:
        raise BadArgument(f"days: expected a number above 0, received {days:g}", hint="Write it like days=30.")
    opened = workspace(home)
    wanted = Wanted((names,) if isinstance(names, str) else tuple(names), top)
    chosen = choose(venue_names(venue))

    async def run() -> BackfillReport:
        used = transport or NetTransport()
        try:
            filling = Backfill(opened, chosen, wanted, used, urls=opened.settings.venue_urls)
            return await filling.run(now_ns() - round(days * NS_PER_DAY))
        finally:
            if transport is None:
                await used.close()

    return _finished(run)


def venues(venue: Venues = None, *, home: Home = None) -> tuple[VenueState, ...]:
    """Return what each venue can tell, how complete its liquidations are, how it is doing here, and what is unverified."""
    from liqscape.engine.venue_state import describe_venues
    from liqscape.venues.registry import choose

    return describe_venues(workspace(home), choose(venue_names(venue)), now_ns())


def _finished(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run to the end, also where a loop runs already (notebooks): then in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(main())
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(asyncio.run(main()))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="liqscape-backfill")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]
