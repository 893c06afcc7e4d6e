"""Write the tables of docs/cascade.md that need no data: the defaults, and the probabilities against the simulated exchange.

python -m benchmarks.cascade_page [SHOCKS]
"""

from __future__ import annotations

import sys

from benchmarks.cascade_history import write
from benchmarks.cascade_market import RAN, Shock, brier, reliability, shocked
from liqscape.cascade import OCTOBER_2025, THIN_HOUR, Factor, Physics
from liqscape.cascade.absorption import FAR_EXPONENT, IMPACT_Y, REFILL, WITHDRAWAL_EXPONENT
from liqscape.engine.cascade import REPORTED

DEFAULTS = ("<!-- defaults:begin -->", "<!-- defaults:end -->")
MARKET = ("<!-- market:begin -->", "<!-- market:end -->")


def default_lines() -> list[str]:
    """Return every uncertain number of the engine with its interval, data and date."""
    physics = Physics()
    factors = (
        ("refill within 15 minutes, dollars absorbed per dollar standing", REFILL),
        ("withdrawal: depth ~ (volatility / usual) ** -exponent", WITHDRAWAL_EXPONENT),
        ("depth beyond the known book ~ distance ** exponent", FAR_EXPONENT),
        ("Y of the square-root law", IMPACT_Y),
        ("share of forced dollars that throttled feeds publish", REPORTED),
        ("preset thin-hour: multiple of depth", THIN_HOUR),
        ("preset 2025-10-10: multiple of depth", OCTOBER_2025),
        ("in time: share of an impact that stays", physics.permanent),
        ("in time: the rest fades within, s", physics.tau_s),
        ("in time: depth ~ exp(-k x recent movement), k", physics.withdrawal),
        ("in time: movement is forgotten within, s", physics.memory_s),
        ("in time: what makers bear, multiples of depth within 1 %; with a book", physics.inventory),
    )
    return ["| number | median [80 %] | from | date |", "|---|---:|---|---|", *(_row(name, factor) for name, factor in factors)]


def _row(name: str, factor: Factor) -> str:
    return f"| {name} | {factor.median:g} [{factor.lo:g}, {factor.hi:g}] | {factor.source} | {factor.date} |"


def market_lines(shocks: list[Shock]) -> list[str]:
    """Return alarms, Brier scores and reliability on markets whose reproduction number is known."""
    alarms = [each for each in shocks if each.predicted >= 0.5]
    false, missed = sum(not each.ran for each in alarms), sum(each.ran for each in shocks if each.predicted < 0.5)
    engine, alone, climate = brier(shocks)
    about = (
        f"{false} of {len(alarms)} alarms (P of 50 % or more) were false, {missed} runs came without one. {len(shocks)} markets, "
        f"one shock each, {sum(each.ran for each in shocks)} ran {RAN * 100:g} % or more. Brier score **{engine:.3f}**; without "
        f"a map {alone:.3f}; the share that ran {climate:.3f}."
    )
    lines = [
        about,
        "",
        "| shocks | predicted | ran | standard error if the prediction is right |",
        "|---:|---:|---:|---:|",
    ]
    return lines + [f"| {n} | {mean:.2f} | {share:.2f} | {error:.2f} |" for n, mean, share, error in reliability(shocks)]


def main(shocks: int) -> None:
    """Compute both, print them and write them."""
    for lines, marks in ((default_lines(), DEFAULTS), (market_lines([shocked(seed) for seed in range(shocks)]), MARKET)):
        print("\n".join(lines))
        write("\n".join(lines), *marks)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
