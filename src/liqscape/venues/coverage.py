"""Which stretches of time a stream was heard on at least one of its lines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class _Heard:
    first_ns: int
    last_ns: int
    open: bool = True


class Coverage:
    """What was heard of one stream over several lines, and the gaps between.

    A line that is open but quiet may turn out dead, and then it was dead since its last frame. So a gap is told only when no
    open line could still cover its beginning.
    """

    def __init__(self) -> None:
        self._heard: list[_Heard] = []
        self._now: dict[int, _Heard] = {}
        self._covered_ns: int | None = None

    @property
    def covered_ns(self) -> int | None:
        """Until when everything was heard or told as a gap; None before the first frame ever."""
        return self._covered_ns

    def heard(self, line: int, at_ns: int) -> None:
        """Note a sign of life of a line; the first one opens a stretch."""
        stretch = self._now.get(line)
        if stretch is None:
            stretch = self._now[line] = _Heard(at_ns, at_ns)
            self._heard.append(stretch)
        elif at_ns > stretch.last_ns:
            stretch.last_ns = at_ns

    def lost(self, line: int) -> None:
        """Note that a line is closed: it was heard up to its last sign of life."""
        stretch = self._now.pop(line, None)
        if stretch is not None:
            stretch.open = False

    @property
    def lines_up(self) -> int:
        """How many lines are open and were heard."""
        return len(self._now)

    def gaps(self) -> list[tuple[int, int]]:
        """Return the gaps (last instant heard, first instant heard again) that are certain by now, each once."""
        found: list[tuple[int, int]] = []
        self._heard.sort(key=lambda one: one.first_ns)
        while self._heard:
            if self._covered_ns is None:
                self._covered_ns = self._heard[0].first_ns
            reached = [one for one in self._heard if one.first_ns <= self._covered_ns]
            self._covered_ns = max([self._covered_ns, *(one.last_ns for one in reached)])
            later = [one for one in self._heard if one.first_ns > self._covered_ns]
            if any(one.open for one in reached) or not later:
                self._heard = [one for one in self._heard if one.open or one.last_ns > self._covered_ns]
                return found
            if not any(one.first_ns <= self._covered_ns < one.last_ns for one in self._heard):
                found.append((self._covered_ns, later[0].first_ns))
                self._covered_ns = later[0].first_ns
                self._heard = later
        return found
