"""Time that does not jump: instants on the loop's clock, told in wall time, wider by what the wall clock stepped lately."""

from __future__ import annotations

_REMEMBER_S = 600.0
_JITTER_NS = 1_000_000  # the two clocks are read one after the other


class Steady:
    """Maps instants of a clock that only runs forward to the wall clock.

    Both are noted together at every frame; their difference is constant but for steps of the wall clock (someone set it, NTP
    corrected it). A stretch that lies near a step is told wider by the step: it is not known which side was right.

    Examples
    --------
    >>> clock = Steady()
    >>> clock.note(1_000_000_000, 0.0), clock.note(2_000_000_000, 1.0)
    (0, 1000000000)
    >>> clock.note(10_000_000_000, 2.0)  # set forward by seven seconds
    2000000000
    >>> clock.wall(0, 1_000_000_000)
    (1000000000, 9000000000)
    """

    def __init__(self) -> None:
        # Least and greatest difference: of this stretch of remembering, and of the one before.
        self._now: tuple[int, int] | None = None
        self._before: tuple[int, int] | None = None
        self._turned_s = 0.0

    def note(self, now_ns: int, loop_s: float) -> int:
        """Note what both clocks say, and return the steady instant in ns."""
        steady_ns = round(loop_s * 1e6) * 1_000
        apart = now_ns - steady_ns
        if self._now is None or loop_s - self._turned_s > _REMEMBER_S:
            self._before, self._now, self._turned_s = self._now, (apart, apart), loop_s
        elif not self._now[0] - _JITTER_NS <= apart <= self._now[1] + _JITTER_NS:
            self._now = min(self._now[0], apart), max(self._now[1], apart)
        return steady_ns

    def wall(self, start_ns: int, end_ns: int) -> tuple[int, int]:
        """Return a stretch of steady time in wall time, ns UTC: from its earliest begin to its latest end."""
        known = [pair for pair in (self._now, self._before) if pair is not None]
        least, most = min(pair[0] for pair in known), max(pair[1] for pair in known)
        return start_ns + least, end_ns + most
