"""A recorder: venues in, acknowledged rows out. Everything it receives goes through one journal on disk."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from liqscape import clock
from liqscape.engine.recording.health import RecorderHealth
from liqscape.engine.recording.wanted import Wanted
from liqscape.engine.workspace import Workspace
from liqscape.venues.base import Venue
from liqscape.venues.transport import Transport

SECONDS = ("BTC", "ETH")


class Recorder:
    """Records venues into the store of a home folder until it is told to stop.

    Parameters
    ----------
    workspace
        Whose store, journal, small state and quarantine are written.
    venues
        Adapters, as `venues.registry.choose` returns them.
    wanted
        Which instruments.
    transport
        Where requests and connections go; the recorder does not close it.
    urls
        Replacements of hosts by `key.host`, as in the setting `venue_urls`.
    seconds
        Bases whose mark price is also kept by the second.
    writer
        Name of this recorder's journal: one process at a time may hold it.
    lines
        Connections per stream: a print lost on one is seen on another.
    now_ns, chance
        The wall clock, ns UTC, and the source of jitter.

    Examples
    --------
    >>> from liqscape.venues.registry import choose
    >>> from liqscape.venues.transport import NetTransport
    >>> async def record(workspace: Workspace) -> None:
    ...     transport = NetTransport()
    ...     try:
    ...         await Recorder(workspace, choose(("bybit",)), Wanted(("BTC", "ETH")), transport).run(signals=True)
    ...     finally:
    ...         await transport.close()
    """

    def __init__(
        self,
        workspace: Workspace,
        venues: Sequence[Venue],
        wanted: Wanted,
        transport: Transport,
        *,
        urls: Mapping[str, str] | None = None,
        seconds: tuple[str, ...] = SECONDS,
        writer: str = "recorder",
        lines: int = 2,
        now_ns: Callable[[], int] = clock.now_ns,
        chance: random.Random | None = None,
    ) -> None:
        self.workspace, self.venues, self.wanted = workspace, tuple(venues), wanted
        self.writer = writer

    async def run(self, until: int | None = None, *, signals: bool = False) -> RecorderHealth:
        """Record until `stop`, an instant (ns UTC) or, with `signals`, Ctrl-C or SIGTERM; then drain and return the last health.

        A venue that fails is tried again with growing pauses and never stops the others. When this returns or raises,
        everything that was acknowledged is on disk, and in the tables unless they could not be written.

        Raises
        ------
        StoreError
            If another process holds this journal (its pid is named), or the disk takes nothing any more.
        NoData
            If no venue has any of the wanted instruments.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Begin to drain; `run` returns within seconds."""
        raise NotImplementedError

    def health(self) -> RecorderHealth:
        """Return how everything is right now; other processes use `read_health`."""
        raise NotImplementedError
