"""`--exit-if`: a small language of comparisons over a map. Nothing is evaluated but what stands here.

    expression  := clause (("and" | "or") clause)*        # "and" binds tighter
    clause      := ["not"] value ("<" | "<=" | ">" | ">=" | "==" | "!=") value
    value       := number | "tilt" | name "(" window ")"
    name        := imbalance | ratio | long_pool | short_pool | prior_share
    number      := 0.5 | 50% | 250M

A window is a distance such as `2%`. `imbalance` is -1 to +1 (shorts above 0), `ratio` is short / long, pools are USD,
`prior_share` is the fraction of both pools that is assumption, `tilt` is ln(move down / move up).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import NoReturn

from liqscape.analytics import asymmetry, tilt
from liqscape.errors import BadArgument, NoData
from liqscape.model.maps import Estimate, LiquidationMap
from liqscape.units import parse_fraction, parse_usd

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:\d[\d_,]*\.?\d*|\.\d+)(?:e[+-]?\d+)?(?:%|[kmbt](?![a-z]))?)"
    r"|(?P<name>[a-z_]+)|(?P<sign><=|>=|==|!=|<|>|\(|\)))",
    re.IGNORECASE,
)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_WINDOWED = ("imbalance", "ratio", "long_pool", "short_pool", "prior_share")
_HINT = (
    "Write it like 'imbalance(2%) > 0.5 and tilt > 0'; the names are " + ", ".join(f"{name}(w)" for name in _WINDOWED) + ", tilt."
)

Value = Callable[[LiquidationMap], float]
Test = Callable[[LiquidationMap], bool]


def parse(text: str) -> Test:
    """Read an expression; the result answers it for a map.

    Raises
    ------
    BadArgument
        If the text is no expression. The test itself raises NoData if a number it needs is not known: unknown is not false.
    """
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None:
                self._refuse(f"unexpected {text[position:].strip()!r}")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)].lower()))
            position = match.end()

    def whole(self) -> Test:
        test = self._either()
        if self._at < len(self._tokens):
            self._refuse(f"unexpected {self._tokens[self._at][1]!r}")
        return test

    def _either(self) -> Test:
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return lambda found: any(test(found) for test in tests)

    def _both(self) -> Test:
        tests = [self._clause()]
        while self._take("and"):
            tests.append(self._clause())
        return lambda found: all(test(found) for test in tests)

    def _clause(self) -> Test:
        inverted = self._take("not")
        left = self._value()
        kind, sign = self._next()
        if kind != "sign" or sign not in _COMPARISONS:
            self._refuse(f"expected a comparison such as >, received {sign!r}")
        right, compare = self._value(), _COMPARISONS[sign]
        return lambda found: compare(left(found), right(found)) is not inverted

    def _value(self) -> Value:
        kind, word = self._next()
        if kind == "number":
            number = parse_fraction(word) if word.endswith("%") else parse_usd(word)
            return lambda _: number
        if word == "tilt":
            return lambda found: _known("tilt", tilt(found).value)
        if word not in _WINDOWED:
            self._refuse(f"unknown name {word!r}")
        if not self._take("("):
            self._refuse(f"{word} needs a window, such as {word}(2%)")
        kind, window = self._next()
        if kind != "number" or not self._take(")"):
            self._refuse(f"{word} needs one window, such as {word}(2%)")
        distance = parse_fraction(window) if not window[-1].isalpha() else self._refuse(f"{window!r} is no distance")
        return lambda found: _reading(found, word, distance)

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            self._refuse("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][1] == word:
            self._at += 1
            return True
        return False

    def _refuse(self, why: str) -> NoReturn:
        raise BadArgument(f"--exit-if {self._text!r}: {why}", hint=_HINT)


def _reading(found: LiquidationMap, name: str, distance: float) -> float:
    """Return one number of a map within a distance."""
    row = asymmetry(found, within=(distance,)).within[0]
    label = f"{name}({distance * 100:g}%)"
    if name == "ratio":
        if row.ratio is None:
            raise NoData(f"--exit-if: {label} is not known: {row.ratio_reason}", hint="Use imbalance, or a wider window.")
        return _known(label, row.ratio)
    if name == "imbalance":
        return _known(label, row.imbalance)
    if name == "prior_share":
        return _known(label, None if row.imbalance is None else row.imbalance, share=True)
    return _known(label, row.long_pool_usd if name == "long_pool" else row.short_pool_usd)


def _known(label: str, estimate: Estimate | None, *, share: bool = False) -> float:
    value = None if estimate is None else estimate.prior_share if share else estimate.median
    if value is None:
        raise NoData(f"--exit-if: {label} is not known", hint="Unknown is not false: the exit status is 3.")
    return value
