"""Answers about the record: accuracy and episodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import polars as pl
from msgspec import Struct

from liqscape.analytics.caveats import Caveat, sentence
from liqscape.api.envelope import Links, method_of, plain_meta
from liqscape.api.question import Answered, Question, option
from liqscape.api.record import MAGNET, note_card, one_instrument, refresh_verdict
from liqscape.clock import now_ns, parse_instant
from liqscape.engine.episodes import RATIO, WITHIN, Episodes, build_episodes
from liqscape.engine.verdict import Badge, badge
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.model import InstrumentId
from liqscape.store import open_ledger
from liqscape.validate.ledger import Verification, verify
from liqscape.validate.verdict import Verdict, read_verdict


class AccuracyData(Struct, kw_only=True):
    """`accuracy`: the badge and what it rests on; null parts were not asked for or never made."""

    badge: Badge
    verdict: Verdict | None
    magnet: dict[str, Any] | None
    ledger: Verification | None


class EpisodesData(Struct, kw_only=True):
    """`episodes`: one record per instrument."""

    episodes: tuple[Episodes, ...]


@dataclass(frozen=True)
class AccuracyParts:
    """`accuracy`."""

    instrument: InstrumentId
    badge: Badge
    verdict: Verdict | None
    card: dict[str, Any] | None
    walked: Verification | None
    simulated: bool
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True)
class EpisodesParts:
    """`episodes`."""

    found: tuple[Episodes, ...]
    badge: Badge
    caveats: tuple[Caveat, ...]


def answer_accuracy(
    question: Question,
    *,
    refresh: bool = False,
    from_: str | None = None,
    to: str | None = None,
    ledger: bool = False,
    head: str | None = None,
    magnet: bool = False,
) -> Answered[AccuracyParts]:
    """Answer `accuracy`: how the map of an instrument did out of sample.

    Parameters
    ----------
    refresh
        Score it now and keep the verdict (writes; the server never does).
    from_, to
        With `refresh`: the scored window.
    ledger, head
        Walk the ledger of issued maps, and compare with a hash noted earlier.
    magnet
        Add the card of the test of attraction; with `refresh` it is run.
    """
    workspace = question.workspace
    instrument = one_instrument(workspace, question.asked)
    if refresh:
        start, end = (
            None if text is None else question.read(word, text, parse_instant) for word, text in (("from", from_), ("to", to))
        )
        verdict: Verdict | None = refresh_verdict(workspace, instrument, from_ns=start, to_ns=end)
    else:
        verdict = read_verdict(workspace.state, str(instrument))
    record = badge(workspace, [instrument], newest_ns(workspace, instrument))
    walked = verify(open_ledger(workspace.home), head) if ledger else None
    card = _card(workspace, instrument, refresh=refresh) if magnet else None
    simulated = workspace.is_simulated(instrument)
    codes = [*(["SIMULATED"] if simulated else []), *([] if record.has_record else ["UNTESTED"]), "MODEL", "ADVICE"]
    caveats = tuple(Caveat(code=code, text=sentence(code)) for code in codes)
    return Answered(
        command="accuracy",
        data=AccuracyData(badge=record, verdict=verdict, magnet=card, ledger=walked),
        meta=plain_meta(instruments=[instrument], asked=question.asked, simulated=simulated, caveats=caveats, accuracy=record),
        links=Links(method=method_of("accuracy"), reproduce=f"liqscape accuracy {instrument} --json"),
        parts=AccuracyParts(instrument, record, verdict, card, walked, simulated, caveats),
    )


def answer_episodes(
    question: Question, *, within: str | None = None, ratio: float | None = None, top: int | None = None
) -> Answered[EpisodesParts]:
    """Answer `episodes`: every lopsided day and what followed it."""
    if top is not None and top < 1:
        raise BadArgument(f"{question.name('top')}: expected at least 1, received {top}", hint="Leave it out for all rows.")
    found = build_episodes(
        question.workspace,
        question.asked,
        as_of_ns=question.as_of_ns,
        within=WITHIN if within is None else question.fraction("within", within),
        least_ratio=RATIO if ratio is None else ratio,
        venues=question.venues,
    )
    last_ns = max(parse_instant(each.to) for each in found)
    record = badge(question.workspace, [InstrumentId.parse(each.instrument) for each in found], last_ns)
    simulated = any(each.simulated for each in found)
    facts = {"RECOMPUTED": {"model": found[0].model}}
    codes = (*(["SIMULATED"] if simulated else []), "POTENTIAL", "WINDOW", "RECOMPUTED", "ADVICE")
    caveats = tuple(Caveat(code=code, text=sentence(code, facts.get(code))) for code in codes)
    return Answered(
        command="episodes",
        data=EpisodesData(episodes=found),
        meta=plain_meta(
            instruments=[each.instrument for each in found],
            asked=question.asked,
            as_of_ns=last_ns,
            simulated=simulated,
            caveats=caveats,
            accuracy=record,
            recorded=False,
        ),
        links=question.links(last_ns, [*option("--within", within), *option("--ratio", ratio)]),
        parts=EpisodesParts(found, record, caveats),
        table=lambda: pl.concat([_episode_rows(each) for each in found]),
    )


def newest_ns(workspace: Workspace, instrument: InstrumentId) -> int:
    """End of the newest stored bar, at which a map without an instant would stand; ns UTC."""
    ends = [c.last_ns + (c.interval_ns or 0) for c in workspace.store.coverage() if c.instrument == instrument and c.price_kind]
    return min(max(ends), now_ns()) if ends else now_ns()


def _card(workspace: Workspace, instrument: InstrumentId, *, refresh: bool) -> dict[str, Any] | None:
    """Return the stored card of the test of attraction as it was written, run anew on request; None if it was never run."""
    if refresh:
        note_card(workspace, instrument)
    found = workspace.state.get(MAGNET, str(instrument))
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _episode_rows(found: Episodes) -> pl.DataFrame:
    """Return one row per episode, the case first; what is not over or not known is null."""
    rows: list[dict[str, object]] = []
    for each in (*([found.case] if found.case is not None else []), *found.episodes):
        row: dict[str, object] = {"instrument": found.instrument}
        row |= {name: getattr(each, name) for name in each.__struct_fields__ if name != "followed"}
        for tally in found.tallies:
            after = each.after(tally.days)
            for name in ("outcome", "low", "high", "end", "long_usd", "short_usd"):
                row[f"{name}_{tally.days}d"] = None if after is None else getattr(after, name)
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)
