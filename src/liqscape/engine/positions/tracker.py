"""Polling accounts: find them, ask for each as often as it matters, keep within what the recorder leaves of the rate budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from liqscape import clock
from liqscape.model import Record
from liqscape.store import StateDb, Store
from liqscape.venues.base import Specs
from liqscape.venues.client import Client


@dataclass(frozen=True)
class Plan:
    """How accounts are followed.

    Parameters
    ----------
    most_accounts
        Accounts that are remembered; the least useful ones are forgotten first.
    weight_per_min
        What polling may take of the venue's bucket; None: all that the recorder leaves, with a tenth kept free.
    snapshot_s
        Everything known is stored so often; changes between are stored within `flush_s`.
    leaderboard_s
        The public list is read so often.
    """

    most_accounts: int = 20_000
    weight_per_min: float | None = None
    snapshot_s: float = 3600.0
    flush_s: float = 30.0
    leaderboard_s: float = 6 * 3600.0


@dataclass(frozen=True)
class Health:
    """How the tracker does; None is not known yet."""

    accounts: int
    with_positions: int
    polled_per_min: float
    oldest_poll_s: float | None
    batched: bool
    last_error: str | None


class Tracker:
    """The state of following one venue's accounts. `specs` are the instruments recorded there, by the venue's symbol."""

    def __init__(
        self,
        client: Client,
        specs: Specs,
        *,
        plan: Plan | None = None,
        state: StateDb | None = None,
        now_ns: Callable[[], int] = clock.now_ns,
    ) -> None:
        self.client, self.specs, self.plan, self.state, self.now_ns = client, specs, plan or Plan(), state, now_ns

    def hear(self, records: Iterable[Record]) -> None:
        """Take what the feed says: trades name accounts (asked again soon), tickers give marks. Quick; never raises."""

    def health(self) -> Health:
        """Say how it goes, for doctor and the recorder's line."""
        raise NotImplementedError


async def track(tracker: Tracker, store: Store, *, writer: str = "positions") -> None:
    """Follow accounts until cancelled, storing into `Table.POSITIONS`."""
    raise NotImplementedError
