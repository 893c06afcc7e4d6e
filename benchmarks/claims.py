"""The registered tests of claims about price, and the survivor share, on a pack of real data; written into docs/claims.md.

python -m benchmarks.claims ../shared/data/btcusdt_backtest      # some minutes
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.score import TEST_FROM, TEST_TO
from liqscape.clock import parse_instant, utc_date
from liqscape.engine.importer import import_paths
from liqscape.engine.survivors import HORIZONS_H, Survivors, survivor_record
from liqscape.engine.workspace import Workspace
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.store import read_bars, read_liquidations
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.acceleration import Acceleration
from liqscape.validate.claims import Claims, judge_claims, verdict_of
from liqscape.validate.magnet import Control, Magnet
from liqscape.validate.null_size import null_sizes

PAGE = Path(__file__).parents[1] / "docs" / "claims.md"
BEGIN, END = "<!-- claims:begin -->", "<!-- claims:end -->"
CLAIMS_FROM = "2026-01-01"


def read_pack(pack: Path) -> tuple[BarSeries, LiquidationSeries]:
    """Import a pack into a store of its own and read it."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        import_paths(workspace.store, [pack])
        instrument = workspace.stored()[0]
        return read_bars(workspace.store, instrument), read_liquidations(workspace.store, instrument)


def survivors_of(bars: BarSeries, liquidations: LiquidationSeries, low: str, high: str) -> Survivors:
    """Measure the survivor share from every hour of a window whose next day lies in it too."""
    starts = np.arange(parse_instant(low), parse_instant(high) - NS_PER_DAY + 1, NS_PER_HOUR, dtype=np.int64)
    return survivor_record(bars, liquidations, starts[starts + NS_PER_DAY <= int(bars.end_ns[-1])])


def _range(value: float, lo: float, hi: float, digits: int = 2) -> str:
    return f"{value:+.{digits}f} [{lo:+.{digits}f}, {hi:+.{digits}f}]"


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.1f} %"


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]


def _primary(claims: Claims) -> list[str]:
    one, two, sizes = claims.attraction, claims.speeding_up, null_sizes().tests
    drift = "more than was tried" if one.smallest_drift is None else f"drift of {one.smallest_drift:.2f} sigma sqrt(H)"
    named = (
        ("attraction, 4 h: beta", one.beta, one.lo, one.hi, one.p, f"{one.windows} windows, {one.days} days", "magnet 4 h"),
        (
            "acceleration, run over 15 min: slope", two.slope, two.lo, two.hi, two.p,
            f"{two.crossings_level} + {two.crossings_mirror} crossings", "run 15 min",
        ),
    )  # fmt: skip
    visible = (f"{drift}, beta {_or_dash(one.smallest_beta)}", f"slope {two.smallest_slope:.2f}")
    rows = [
        (
            name, _range(effect, lo, hi), f"{p:.3f}", f"{corrected:.3f}", f"**{verdict_of(effect, corrected)}**", of,
            _percent(sizes[test].rejected), seen,
        )
        for (name, effect, lo, hi, p, of, test), corrected, seen in zip(named, claims.p_holm, visible, strict=True)
    ]  # fmt: skip
    effect = "effect per standard deviation of mass [95 %]"
    return _table(
        ("primary claim", effect, "p", "p (Holm)", "verdict", "from", "size of the test", "smallest visible effect"), rows
    )


def _magnets(claims: Claims) -> list[str]:
    def control(name: str, found: Control | None, hours: float) -> str:
        if found is None:
            return "-"
        q = claims.q_values[f"{name} {hours:g} h"]
        return f"{_range(found.difference, found.lo, found.hi, 3)}, p {found.p:.3f}, q {q:.2f}"

    rows: list[tuple[str, ...]] = []
    for m in claims.magnets:
        q = claims.q_values.get(f"magnet {m.horizon_h:g} h")
        controls = (("mirror", m.mirror), ("matched", m.matched), ("round price", m.round_price))
        rows.append(
            (
                f"{m.horizon_h:g} h",
                str(m.windows),
                f"{m.mean_distance:.2f}",
                ", ".join(_percent(share) for share in (m.touched_level, m.touched_mirror, m.expected)),
                _range(m.beta, m.lo, m.hi),
                f"{m.p:.3f}",
                "primary" if q is None else f"{q:.2f}",
                *(control(name, found, m.horizon_h) for name, found in controls),
                _or_dash(m.smallest_drift),
            )
        )
    touched, controls = "touched: level, mirror, expected", ("A: less mirror", "B: less matched", "C: less round price")
    return _table(("horizon", "windows", "distance", touched, "beta [95 %]", "p", "q", *controls, "smallest drift"), rows)


def _after(claims: Claims) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for a in claims.accelerations:
        q = claims.q_values.get(f"{a.measure} {a.minutes:g} min")
        rows.append(
            (
                str(a.measure),
                f"{a.minutes:g}",
                f"{a.crossings_level}, {a.crossings_mirror}",
                f"{_or_dash(a.mean_level)}, {_or_dash(a.mean_mirror)}",
                _range(a.slope, a.lo, a.hi),
                f"{a.p:.3f}",
                "primary" if q is None else f"{q:.2f}",
                f"{a.smallest_slope:.2f}",
            )
        )
    crossings, mean = "crossings: level, mirror", "mean: level, mirror"
    return _table(("measure", "minutes", crossings, mean, "slope [95 %]", "p", "q", "smallest slope"), rows)


def _variants(claims: Claims) -> list[str]:
    def row(name: str, m: Magnet, a: Acceleration) -> tuple[str, ...]:
        touched = f"{_percent(m.touched_level)}, {_percent(m.touched_mirror)}"
        after = _range(a.slope, a.lo, a.hi)
        return name, str(m.windows), _range(m.beta, m.lo, m.hi), f"{m.p:.3f}", touched, after, f"{a.p:.3f}"

    rows = [row("as registered", claims.attraction, claims.speeding_up)]
    rows += [row(v.name, v.magnet, v.acceleration) for v in claims.variants]
    touched = "touched: level, mirror"
    return _table(("sensitivity", "windows", "beta [95 %]", "p", touched, "slope of the run [95 %]", "p"), rows)


def _survivors(bars: BarSeries, liquidations: LiquidationSeries) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for low, high in (("2026-01-19", TEST_FROM), (TEST_FROM, TEST_TO)):
        found = survivors_of(bars, liquidations, low, high)
        stood, swept = found.stood_usd.sum(axis=0), found.swept_usd.sum(axis=0)
        shares = found.shares()
        sides = [" / ".join(f"{share:.2f}" for share in stood[:, s] / swept[:, s]) for s in (0, 1)]
        together = [f"{shares[f'{h}h']:.2f}" for h in HORIZONS_H]
        rows.append((f"{low} to {utc_date(parse_instant(high) - 1)}", str(found.start_ns.size), *together, *sides))
    return _table(("window", "starts", "1 h", "4 h", "24 h", "longs 1 / 4 / 24 h", "shorts 1 / 4 / 24 h"), rows)


ATTRACTION = (
    "Attraction, all horizons and controls (secondary but for 4 h; q is Benjamini-Hochberg over all secondary tests; distances"
    " and drifts in sigma sqrt(H), controls as fractions of windows):"
)
AFTER = "After a crossing, 4 h windows (in units of what the volatility before makes usual in that time):"
EXPIRY = (
    "How quickly a map expires: share of the dollars swept within 1, 4 and 24 hours of every hour by what stood in the map then"
    " (same closes, no new positions; weights of then):"
)


def text_of(claims: Claims, survivors: list[str]) -> str:
    """Return the section of the page."""
    about = (
        f"`{claims.instrument}`, {utc_date(claims.from_ns)} to {utc_date(claims.to_ns - 1)}, model {claims.model};"
        f" {claims.magnets[0].permutations} permutations of whole-day maps and as many draws of days."
    )
    parts = (
        [about],
        _primary(claims),
        [ATTRACTION],
        _magnets(claims),
        [AFTER],
        _after(claims),
        ["Sensitivities, as registered:"],
        _variants(claims),
        [EXPIRY],
        survivors,
        ["Written by `python -m benchmarks.claims` (needs the data pack, which is not part of this repository)."],
    )
    return "\n\n".join("\n".join(part) for part in parts)


def main(pack: Path) -> None:
    """Run, print, and write the page."""
    bars, liquidations = read_pack(pack)
    claims = judge_claims(
        bars, liquidations, from_ns=parse_instant(CLAIMS_FROM), to_ns=parse_instant(TEST_TO), later_ns=parse_instant(TEST_FROM)
    )
    text = text_of(claims, _survivors(bars, liquidations))
    print(text)
    page = PAGE.read_text(encoding="utf-8")
    if BEGIN not in page or END not in page:
        sys.exit(f"{PAGE.name} has no {BEGIN} .. {END}: the results were not written")
    head, rest = page.split(BEGIN, 1)
    PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
