"""What the page asks first, answered when the server starts: kernels and libraries are loaded before anybody waits for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from liqscape.errors import LiqscapeError

if TYPE_CHECKING:
    from liqscape.server.app import Server

log = structlog.get_logger()


def warm(server: Server) -> None:
    """Answer the first screen of the instrument that the page opens; whoever asks meanwhile waits for these very answers."""
    from liqscape.api.answers.shocks import answer_cascade
    from liqscape.server.machine import instruments_data
    from liqscape.server.routes import live_grid, snapshot
    from liqscape.server.words import CascadeQuery

    try:
        bases = instruments_data(server).bases
    except LiqscapeError:
        return  # a store that cannot be read is told to who asks
    if not bases:
        return
    base, shock = bases[0], CascadeQuery.model_validate({})
    answers: tuple[Callable[[], object], ...] = (
        lambda: live_grid(server, base),
        lambda: snapshot(server, "now", base),
        lambda: snapshot(server, "map", base),
        lambda: server.say(
            ("cascade", base, repr(shock)),
            server.question("cascade", base),
            lambda question: answer_cascade(question, shock.words(), shock.shape()),
        ),
    )
    for answer in answers:
        if server.memory.asked:  # somebody waits for an answer, which may be another one
            return
        try:
            answer()
        except LiqscapeError:
            continue  # said again, and explained, to who asks
        except Exception as error:
            log.warning("warm", error=repr(error))
