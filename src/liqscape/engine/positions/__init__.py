"""Measured positions: which accounts there are, how often each is asked, what is stored of them, and their exact levels.

May depend on what the engine may. The recorder runs it beside its own work, with the client that it asks the venue with:

    tracker = Tracker(client, specs, state=workspace.state)    # specs: what is recorded of the venue, by symbol
    task = asyncio.create_task(track(tracker, workspace.store))
    tracker.hear(batch.records)                                # every batch of the venue's feed: trades and tickers

`track` stores into `Table.POSITIONS` by itself (a batch that is lost is asked for again, so it needs no journal) and runs until
it is cancelled; on cancellation it stores what it holds. No exception of the venue or of the store escapes it.
"""

from liqscape.engine.positions.tracker import Health, Plan, Tracker, track

__all__ = ["Health", "Plan", "Tracker", "track"]
