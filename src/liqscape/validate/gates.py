"""Gates: what a release must reach, written as `d2(long) >= 0.898`, and whether a report does.

gate   := score "(" which ")" ("<" | "<=" | ">" | ">=") number
score  := d2 | d2_walk_forward | log_loss | crps_usd | tail_crps_usd | spearman | r2_log | total_ratio
        | coverage_50 | coverage_80 | coverage_90 | ahead
which  := [stretch ","] (long | short | both)      the map's score, over the window or a stretch such as `low volatility`
        | baseline                                 for `ahead`: lower end of the interval of the difference in mean D2
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from msgspec import Struct

from liqscape.errors import BadArgument
from liqscape.validate.bootstrap import Value
from liqscape.validate.report import Report, Scope

_SCORES = (
    "d2",
    "d2_walk_forward",
    "log_loss",
    "crps_usd",
    "tail_crps_usd",
    "spearman",
    "r2_log",
    "total_ratio",
    "coverage_50",
    "coverage_80",
    "coverage_90",
)
_SHAPE = re.compile(r"\s*(\w+)\s*\(([^()]+)\)\s*(<=|>=|<|>)\s*([-+0-9.eE]+)\s*(%?)\s*")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_HINT = (
    "Write it like 'd2(long) >= 0.898', 'coverage_90(low volatility, both) >= 80%' or 'ahead(gradient boosting) > 0'; scores: "
    + ", ".join(_SCORES)
    + ", ahead."
)


class Gate(Struct, frozen=True, kw_only=True):
    """A statement about a report.

    Parameters
    ----------
    text
        As it was written.
    score, which
        The score, and of what.
    sign, bound
        The comparison.
    """

    text: str
    score: str
    which: str
    sign: str
    bound: float


class Judgement(Struct, frozen=True, kw_only=True):
    """Whether a gate was reached; a score that is not known reaches nothing."""

    gate: str
    value: float | None
    reached: bool


def parse_gate(text: str) -> Gate:
    """Read a gate.

    Raises
    ------
    BadArgument
        If the text is no gate.
    """
    match = _SHAPE.fullmatch(text)
    if match is None or match[1] not in (*_SCORES, "ahead"):
        raise BadArgument(f"--gate {text!r}: this is no gate", hint=_HINT)
    try:
        bound = float(match[4]) * (0.01 if match[5] else 1.0)
    except ValueError:
        raise BadArgument(f"--gate {text!r}: {match[4]!r} is no number", hint=_HINT) from None
    return Gate(text=text.strip(), score=match[1], which=" ".join(match[2].split()), sign=match[3], bound=bound)


def judge(gate: Gate, report: Report) -> Judgement:
    """Say whether a report reaches a gate.

    Raises
    ------
    BadArgument
        If the report holds nothing of that name.
    """
    value = _ahead(gate, report) if gate.score == "ahead" else _score(gate, report)
    return Judgement(gate=gate.text, value=value, reached=value is not None and _COMPARE[gate.sign](value, gate.bound))


def _ahead(gate: Gate, report: Report) -> float | None:
    found = [c for c in report.comparisons if c.against.lower() == gate.which.lower()]
    if not found:
        names = ", ".join(c.against for c in report.comparisons) or "none"
        raise BadArgument(f"--gate {gate.text!r}: no baseline {gate.which!r} was run", hint=f"Those that were run: {names}.")
    return found[0].d2_mean.lo


def _score(gate: Gate, report: Report) -> float | None:
    stretch, _, side = gate.which.rpartition(",")
    scopes = {scope.name: scope for scope in report.rows[0].scopes}
    scope: Scope | None = scopes.get(stretch.strip() or "window")
    if scope is None or side.strip() not in ("long", "short", "both"):
        raise BadArgument(f"--gate {gate.text!r}: no {gate.which!r}", hint=f"long, short or both, of: {', '.join(scopes)}.")
    found: Value = getattr(getattr(scope, side.strip()), gate.score)
    return found.value
