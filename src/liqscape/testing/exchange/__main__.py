"""Serve the rehearsal exchange: `python -m liqscape.testing.exchange [--port 8900] [--coins BTC,ETH] [--faults 50] [venue]`."""

from __future__ import annotations

import argparse

import uvicorn

import liqscape.clock as clock
from liqscape.testing.exchange.exchange import RehearsalExchange
from liqscape.testing.exchange.faults import script
from liqscape.testing.exchange.server import RehearsalApp, settings
from liqscape.testing.exchange.venues import DIALECTS, every_dialect
from liqscape.testing.exchange.world import COINS, World
from liqscape.units import NS_PER_S


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m liqscape.testing.exchange", description="Venues to practise on, on loopback."
    )
    parser.add_argument("venues", nargs="*", help=f"which ones (default: all of {', '.join(DIALECTS)})")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--seed", type=int, default=1, help="of the market (default: 1)")
    parser.add_argument("--coins", default=",".join(COINS), help="base coins, comma separated")
    parser.add_argument("--faults", type=int, default=0, help="how many faults, each venue one every two minutes (default: none)")
    given = parser.parse_args()
    world = World(given.seed, tuple(given.coins.split(",")))
    dialects = every_dialect(world, given.venues)
    keys = [dialect.key for dialect in dialects]
    begin_ns = clock.now_ns() + 60 * NS_PER_S
    faults = script(keys, given.faults, start_ns=begin_ns, every_s=120.0, seed=given.seed) if given.faults else []
    exchange = RehearsalExchange(dialects, faults, seed=given.seed)
    print(f"A market that no exchange trades, on http://127.0.0.1:{given.port}. Put this in front of a venue's host name:")
    for host in exchange.hosts:
        print(f"  https://{host}/.. -> http://127.0.0.1:{given.port}/{host}/..  (wss:// -> ws://)")
    uvicorn.Server(settings(RehearsalApp(exchange), "127.0.0.1", given.port)).run()


if __name__ == "__main__":
    main()
