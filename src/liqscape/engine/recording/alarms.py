"""Things a person should look at, each with the instant since which it stands."""

from __future__ import annotations

from collections.abc import Callable

from liqscape.engine.recording.health import Alarm


class Alarms:
    """Alarms that stand until they are told not to."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._standing: dict[tuple[str, str | None], Alarm] = {}

    def tell(self, what: str, subject: str | None, words: str | None) -> None:
        """Raise an alarm, or let it down with None."""
        key = (what, subject)
        if words is None:
            self._standing.pop(key, None)
            return
        since = self._standing[key].since_ns if key in self._standing else self._now_ns()
        self._standing[key] = Alarm(what=what, subject=subject, words=words, since_ns=since)

    def standing(self) -> tuple[Alarm, ...]:
        """Return all that stand, oldest first."""
        return tuple(sorted(self._standing.values(), key=lambda alarm: (alarm.since_ns, alarm.what, alarm.subject or "")))
