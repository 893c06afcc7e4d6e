"""Scripted faults over all venues: what is stored equals the quiet run's outside of declared gaps, and everything goes on.

`make chaos` runs the long form and prints what it measured.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pytest
from chaos_compare import Difference, difference
from chaos_run import Run, record

from liqscape.model import InstrumentSpec
from liqscape.testing.exchange import DIALECTS, Asked, Fault, FaultKind, RehearsalExchange, World, every_dialect, script
from liqscape.testing.exchange.faults import OF_REQUESTS
from liqscape.testing.exchange.recovery import Recovery, recoveries
from liqscape.testing.virtual import START_NS
from liqscape.units import NS_PER_S
from liqscape.venues.base import Venue
from liqscape.venues.client import LONGEST_BACK_OFF_S as LONGEST_PAUSE_S
from liqscape.venues.feed import CONNECT_S, LONGEST_BACK_OFF_S
from liqscape.venues.registry import VENUES

QUIET_S = 100.0  # before the first fault: everybody is listed, connected and heard
AFTER_S = 110.0
AFTER_BANS_S = 900.0  # Bybit's last ten minutes
ROUND_S = 60.0  # the recorder asks every minute


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory where there is one: hours of commits in seconds are no load for a disk."""
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=shared if shared.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def run(
    faults: int, every_s: float, coins: tuple[str, ...], seed: int, after_s: float = AFTER_S
) -> tuple[Run, Run, Difference, list[Recovery]]:
    keys = tuple(DIALECTS)
    seconds = QUIET_S + -(-faults // len(keys)) * every_s + after_s
    begin = START_NS + round(QUIET_S * NS_PER_S)
    with scratch() as folder:
        quiet = record(folder / "quiet", seconds, [], coins=coins, seed=seed)
        # Where nobody listens (KuCoin: price and open interest are asked for) only answers can fail.
        silent = set(keys) - {link.key for link in quiet.exchange.past}
        told = script(keys, faults, start_ns=begin, every_s=every_s, seed=seed, without_sockets=silent)
        troubled = record(folder / "troubled", seconds, told, coins=coins, seed=seed)
    return quiet, troubled, difference(quiet, troubled), recoveries(troubled.exchange)


@cache
def recorded(venue: Venue) -> dict[str, InstrumentSpec]:
    """What an adapter makes of its rehearsed venue's list."""
    exchange = RehearsalExchange(every_dialect(World(coins=("BTC",))))
    (ask,) = venue.ask_instruments()
    url = urlsplit(venue.facts.hosts[ask.request.host] + ask.request.path)
    request = ask.request
    asked = Asked(url.hostname or "", url.path, dict(request.params), request.method, {}, request.body or b"")
    answer = exchange.request(asked, START_NS).answer
    assert answer is not None
    return {one.id.symbol: one for one in ask.parse(answer.body, START_NS) if isinstance(one, InstrumentSpec)}


def limit_s(found: Recovery) -> float:
    """The venue's limit: how long its streams may be silent, then the longest pause, a connect, and the frames' own beat.

    Of answers: the longest pause between two tries, and the round in which the recorder asks.
    """
    venues = [venue for venue in VENUES.values() if found.key in (venue.facts.key, venue.facts.venue)]
    if found.connection is None:
        # A ban without a word for how long is obeyed for as long as the venue's documentation says.
        banned_s = max(venue.facts.ban_s for venue in venues) if found.kind is FaultKind.BANNED else 0.0
        return banned_s + LONGEST_PAUSE_S + ROUND_S
    streams = [stream for venue in venues for stream in venue.streams(recorded(venue))]
    return max(max(s.silence_s, s.data_silence_s or 0.0) for s in streams) + LONGEST_BACK_OFF_S + CONNECT_S


def in_a_ban(fault: Fault, faults: Sequence[Fault], healed: list[Recovery]) -> bool:
    """Whether a fault of answers came and went while a ban was obeyed, as it must be: nobody asked, so nothing could befall."""
    for one in healed:
        ban = faults[one.fault]
        if one.kind is FaultKind.BANNED and ban.key == fault.key and one.seconds is not None:
            asked_again_ns = ban.end_ns + round(one.seconds * NS_PER_S)
            if ban.at_ns <= fault.at_ns and fault.end_ns <= asked_again_ns:
                return True
    return False


def judge(quiet: Run, troubled: Run, found: Difference, healed: list[Recovery]) -> None:
    assert not found.counts, "\n".join(
        f"{what}: {count}\n  " + "\n  ".join(found.examples[what]) for what, count in found.counts.items()
    )
    assert {"liquidations", "depth", "open_interest", "ratios", "bars last 60 s", "bars mark 60 s"} <= found.compared.keys()
    for one in (quiet, troubled):
        assert not one.restarts
        assert not one.leftover_tasks
        assert not one.unhandled
        assert one.open_connections == 0
    acted = {deed.fault for deed in troubled.exchange.log}
    idle = [f for i, f in enumerate(troubled.exchange.faults) if i not in acted and f.kind is not FaultKind.CLOCK_JUMP]
    idle = [f for f in idle if not (f.kind in OF_REQUESTS and in_a_ban(f, troubled.exchange.faults, healed))]
    assert not idle, idle
    never = [one for one in healed if one.seconds is None]
    assert not never, never
    slow = [one for one in healed if one.seconds is not None and one.seconds > limit_s(one)]
    assert not slow, slow


def tell(troubled: Run, found: Difference, healed: list[Recovery]) -> str:
    kinds: dict[str, list[float]] = defaultdict(list)
    for one in healed:
        kinds[one.kind.value].append(one.seconds or 0.0)
    lines = ["fault                    times   p50 s   p90 s   max s"]
    for kind, seconds in sorted(kinds.items()):
        told = pl.Series(sorted(seconds))
        lines.append(f"{kind:24} {len(seconds):5d} {told.quantile(0.5):7.1f} {told.quantile(0.9):7.1f} {told.max():7.1f}")
    lines.append(f"rows compared: {dict(found.compared)}")
    lines.append(f"rows within declared gaps: {dict(found.excused)}; prints known by another price or instant: {found.loose}")
    lines.append(f"gaps declared: {troubled.gaps.height}; frames, answers and rows refused: {sum(troubled.corrupt.values())}")
    return "\n".join(lines)


def test_a_short_script_of_all_kinds_over_all_venues():
    quiet, troubled, found, healed = run(5 * len(DIALECTS), 95.0, ("BTC",), seed=1)
    print(tell(troubled, found, healed))
    judge(quiet, troubled, found, healed)
    assert {fault.kind for fault in troubled.exchange.faults} == set(FaultKind)


@pytest.mark.long
def test_a_thousand_faults_over_all_venues():
    quiet, troubled, found, healed = run(1_000, 125.0, ("BTC",), seed=2, after_s=AFTER_BANS_S)
    print(tell(troubled, found, healed))
    judge(quiet, troubled, found, healed)
