"""A gap longer than one window of Gate's history: every print of it comes once, though prints are known by their second."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from types import SimpleNamespace

from cases_gate import HEI, VENUE, S
from venue_case import RECV_NS

from liqscape.engine.recording.repairs import Repairs
from liqscape.model import Record
from liqscape.units import NS_PER_HOUR, NS_PER_S
from liqscape.venues.base import Ask

_STEP_S = 60


class _History:
    """Answers asks as Gate would: a print every minute, both ends of a request counted in."""

    venue = VENUE

    async def run(self, ask: Ask, **_: object) -> list[Record]:
        records: list[Record] = []
        following: Ask | None = ask
        while following is not None:
            first, last = (int(following.request.params[name]) for name in ("from", "to"))
            row = {"contract": "HEI_USDT", "size": 1, "order_price": "1", "fill_price": "1", "left": 0}
            rows = [{**row, "time": second} for second in range(first, last + 1) if second % _STEP_S == 0]
            body = json.dumps(rows).encode()
            records += following.parse(body, RECV_NS)  # type: ignore[arg-type]
            assert following.more is not None
            following = following.more(body)
        return records


def test_windows_of_a_long_gap_meet_without_overlap():
    # Begins in the middle of a second that has a print, and so does every following hour.
    start = (S // _STEP_S * _STEP_S - 6 * 3600) * NS_PER_S + 300_000_000
    end = start + 5 * NS_PER_HOUR
    nothing = SimpleNamespace(floor_ns=0)
    repairs = Repairs(
        _History(),  # type: ignore[arg-type]
        {HEI.id: HEI},
        nothing,  # type: ignore[arg-type]
        stored=lambda *_: (),
        keep=lambda *_: None,
        lost=lambda _: None,
        settled=lambda _: None,
        now_ns=lambda: RECV_NS,
    )
    found = asyncio.run(repairs._history(HEI, start, end))
    stamps = Counter(one.ts_venue // NS_PER_S for one in found)
    expected = [s for s in range(start // NS_PER_S, end // NS_PER_S + 1) if s % _STEP_S == 0]
    assert stamps == Counter(expected)
