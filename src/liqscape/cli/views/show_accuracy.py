"""`liqscape accuracy`: the badge, and what it rests on; the ledger of issued maps; the test of attraction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

import typer

from liqscape.api.answers.record import answer_accuracy
from liqscape.api.question import Question
from liqscape.cli.emit import emit_answer, note
from liqscape.cli.options import Home, Picture, Plain
from liqscape.cli.question import picture_path
from liqscape.cli.screen import BAD, BOLD, DIM, GOOD, WARN, Screen
from liqscape.cli.views.badge import badge_style, badge_text, why
from liqscape.cli.views.words import SHOUT, percent, say_caveats
from liqscape.clock import utc_date
from liqscape.engine.verdict import OFF, TESTED, Badge
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.model import InstrumentId
from liqscape.units import format_duration, format_usd
from liqscape.validate.bootstrap import Value
from liqscape.validate.ledger import Verification
from liqscape.validate.verdict import Lift, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from liqscape.plot.accuracy_pictures import LiftRow, SideRecord

CHANGED = 20  # exit status when the ledger is not what was written
_SCORES = (
    ("d2", "D2, share of the deviance explained", "{:.3f}"),
    ("spearman", "rank correlation", "{:.3f}"),
    ("r2_log", "R2 of logs", "{:.3f}"),
    ("total_ratio", "predicted / published dollars", "{:.2f}"),
    ("log_loss", "log loss, nats an hour", "{:.2f}"),
    ("crps_usd", "CRPS an hour", "$"),
    ("coverage_50", "hours inside the 50 % band", "%"),
    ("coverage_80", "hours inside the 80 % band", "%"),
    ("coverage_90", "hours inside the 90 % band", "%"),
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What of the record is asked for, as typed."""

    instrument: str
    refresh: bool
    from_: str | None
    to: str | None
    verify: bool
    head: str | None
    magnet: bool


def show_accuracy(home: Home, show: Plain, picture: Picture, asked: Asked) -> None:
    """Answer `liqscape accuracy`; exit 20 if the ledger was changed."""
    path = picture_path(picture.out)
    _check(asked)
    question = Question("accuracy", Workspace(home.home), asked.instrument, prefix="--")
    answered = answer_accuracy(
        question,
        refresh=asked.refresh,
        from_=asked.from_,
        to=asked.to,
        ledger=asked.verify,
        head=asked.head,
        magnet=asked.magnet,
    )
    parts = answered.parts
    instrument, verdict, record, walked = parts.instrument, parts.verdict, parts.badge, parts.walked
    if path is not None:
        if verdict is None:
            raise NoData(
                f"{instrument}: no verdict is stored, so there is nothing to draw",
                hint=f"`liqscape accuracy {asked.instrument} --refresh --out {path}` scores it first.",
            )
        from liqscape.plot import save

        save(draw(verdict, record), path)
        note(show, f"wrote {path}")

    def text(screen: Screen) -> None:
        if parts.simulated:
            screen.line((SHOUT, "shout"))
        _say_badge(screen, instrument, record, verdict)
        if verdict is not None:
            _say_verdict(screen, verdict)
        if asked.magnet:
            _say_magnet(screen, instrument, parts.card)
        if walked is not None:
            _say_ledger(screen, walked)
        screen.blank()
        say_caveats(screen, parts.caveats)

    emit_answer(show, answered, text, UTC)
    if walked is not None and not walked.intact:
        raise typer.Exit(CHANGED)


def draw(verdict: Verdict, record: Badge) -> Figure:
    """Draw the picture of a verdict: bands, dollars and lift."""
    from liqscape.plot.accuracy_pictures import plot_record

    long, short, lift, text = record_of(verdict)
    window = f"{utc_date(verdict.from_ns)} to {utc_date(verdict.to_ns - 1)}"
    return plot_record(
        f"{verdict.instrument}: out of sample, {verdict.days} days, given the path",
        [window, f"model {verdict.model}", f"inputs {verdict.inputs_hash[:8]}", "dollars as published"],
        long,
        short,
        lift,
        lift_text=text,
        badge=record.text,
        simulated=verdict.simulated,
    )


def record_of(verdict: Verdict) -> tuple[SideRecord, SideRecord, tuple[LiftRow, ...], str]:
    """Return what a picture of a verdict needs: both sides, the lift by distance, and the lift in words."""
    from liqscape.plot.accuracy_pictures import LiftRow, SideRecord

    long, short = (
        SideRecord(
            hours=side.hours,
            pit=side.pit,
            coverage=tuple((level / 100.0, side.values.get(f"coverage_{level}", Value(None)).value) for level in (50, 80, 90)),
            tenths=side.reliability,
        )
        for side in verdict.sides
    )
    if verdict.lift is None:
        return long, short, (), ""
    rows = tuple(LiftRow(e.from_distance, e.to_distance, e.usd, e.share, e.expected) for e in verdict.lift.bins)
    return long, short, rows, _lift_sentence(verdict.lift)


def _check(asked: Asked) -> None:
    if not asked.refresh and (asked.from_ is not None or asked.to is not None):
        raise BadArgument("--from and --to: only --refresh has a window to choose", hint="Add --refresh.")
    if asked.head is not None and not asked.verify:
        raise BadArgument("--head: is compared by --verify only", hint="Add --verify.")


def _say_badge(screen: Screen, instrument: InstrumentId, record: Badge, verdict: Verdict | None) -> None:
    style = GOOD if record.counts_as == TESTED else BAD if record.state == OFF else badge_style(record)
    screen.line((f"{instrument}  ", BOLD), (badge_text(record), style))
    if verdict is None:
        screen.line(f"No verdict is stored: `liqscape accuracy {instrument} --refresh` scores the map on what is.")
        return
    screen.line(f"Why: {why(record)}.")
    if record.stale is not None:
        screen.line((f"Stale: it counts as untested until `liqscape accuracy {instrument} --refresh`.", WARN))


def _say_verdict(screen: Screen, verdict: Verdict) -> None:
    window = f"{utc_date(verdict.from_ns)} to {utc_date(verdict.to_ns - 1)}, {verdict.days} days"
    learned = f"{verdict.learned_share * 100:.0f} % predicted by learned weights"
    screen.joined([f"scored {window}", learned, f"model {verdict.model}", f"inputs {verdict.inputs_hash[:8]}"], DIM, between="; ")
    screen.line(("[ ] holds 90 %, whole days drawn. Given the path: how much is liquidated, not where price goes.", DIM))
    if verdict.lift is not None:
        _say_lift(screen, verdict.lift)
    _say_scores(screen, verdict)
    if verdict.rivals:
        screen.blank()
        screen.row((f"{'against, on the same path':<36}{'D2 long':>9}{'short':>9}   the map's lead, mean of sides", DIM))
        for each in verdict.rivals:
            screen.row(f"{each.predictor:<36}{each.d2_long:>9.3f}{each.d2_short:>9.3f}   {_value(each.difference, '{:+.3f}')}")
        screen.line(("`liqscape validate` runs every baseline, gradient boosting too.", DIM))
    if verdict.survivor_share:
        shares = ", ".join(f"{percent(share)} {name} before" for name, share in verdict.survivor_share.items())
        screen.line(f"Of what was liquidated there stood in the map: {shares}.")


def _say_lift(screen: Screen, lift: Lift) -> None:
    screen.blank()
    screen.line((f"Lift {_value(lift.lift, '{:.2f}')}", BOLD), f": {_lift_sentence(lift)}")
    source = (
        "prints at their published prices"
        if lift.source == "prints"
        else "published sums, spread over the prices newly traded in their interval"
    )
    how = (
        f"{lift.maps} maps frozen for {format_duration(lift.horizon_ns)} on {lift.days} days, levels of {lift.step * 1e4:g} bp; "
        f"located by {source}: {percent(lift.located)} of the dollars. Dollars spread exactly as the map says would give "
        f"{percent(lift.perfect, 1)}, a lift of {lift.perfect / lift.expected:.2f}."
    )
    screen.line((how, DIM))
    screen.row((f"{'levels away':<16}{'dollars':>9}{'on the dense quarter':>22}{'by distance':>13}", DIM))
    for each in lift.bins:
        far = (
            f"{each.from_distance * 100:g} to {each.to_distance * 100:g} %"
            if each.to_distance < 1.0
            else (f"over {each.from_distance * 100:g} %")
        )
        screen.row(f"{far:<16}{format_usd(each.usd):>9}{percent(each.share, 1):>22}{percent(each.expected, 1):>13}")


def _lift_sentence(lift: Lift) -> str:
    return (
        f"the densest quarter of the traded levels took {percent(lift.share, 1)} of the liquidated dollars; distance alone "
        f"expects {percent(lift.expected, 1)}, levels drawn at random {percent(lift.chance, 1)}."
    )


def _say_scores(screen: Screen, verdict: Verdict) -> None:
    screen.blank()
    hours = f"{verdict.sides[0].hours:,} hours" if verdict.sides else ""
    screen.row((f"{hours:<36}{'longs':<26}{'shorts':<26}", DIM))
    for name, about, form in _SCORES:
        cells = [_value(side.values.get(name, Value(None)), form) for side in verdict.sides]
        screen.row(f"{about:<36}" + "".join(f"{cell:<26}" for cell in cells))


def _value(value: Value, form: str) -> str:
    """Write a value with its interval: `0.903 [0.880-0.921]`."""
    if value.value is None:
        return "-"

    def one(number: float) -> str:
        return format_usd(number) if form == "$" else percent(number) if form == "%" else form.format(number)

    text = one(value.value)
    if value.lo is None or value.hi is None:
        return text
    low, high = one(value.lo), one(value.hi)
    return f"{text} [{low}{'..' if low[0] in '+-' else '-'}{high}]"


def _say_magnet(screen: Screen, instrument: InstrumentId, card: dict[str, Any] | None) -> None:
    """Print the card of the test of attraction with the smallest effect that it could have seen."""
    screen.blank()
    screen.line(("Magnet card: is a dense level touched more than its mirror at the same distance and instant?", BOLD))
    if card is None:
        screen.line(
            f"Not yet run: `liqscape accuracy {instrument} --magnet --refresh` runs the registered test and keeps its card."
        )
        return
    screen.line(card["sentence"])
    window = f"{utc_date(card['from_ns'])} to {utc_date(card['to_ns'] - 1)}"
    beta, least = Value(card["beta"], card["lo"], card["hi"]), card["smallest_beta"]
    screen.joined(
        [
            f"within {card['horizon_h']:g} h, {window}: {card['windows']:,} windows on {card['days']} days",
            f"beta {_value(beta, '{:+.3f}')} a standard deviation of mass ({percent(card['level'])} interval)",
            f"p {card['p']:.3f}, {card['p_holm']:.3f} for both claims",
            "smallest visible beta: none that was tried" if least is None else f"smallest visible beta {least:.2f}",
            f"where there is nothing to find it rejects {percent(card['size'], 1)} of {card['size_markets']} markets",
            f"model {card['model']}",
        ],
        between="; ",
        indent=2,
    )


def _say_ledger(screen: Screen, walked: Verification) -> None:
    screen.blank()
    if walked.entries == 0 and walked.intact:
        screen.line(("Ledger", BOLD), ": no map was issued from this home yet.")
        return
    screen.line(
        ("Ledger", BOLD),
        f": {walked.entries:,} issued maps, {walked.first_noted} to {walked.last_noted}: ",
        ("every entry is what was written." if walked.intact else "CHANGED.", GOOD if walked.intact else BAD),
    )
    for fault in walked.faults:
        screen.line((f"  entry {fault.number}: {fault.what}", BAD), hang=4)
    if walked.head is not None:
        screen.line((f"Last hash {walked.head}: note it elsewhere; with --head it proves later that nothing was rewritten.", DIM))
