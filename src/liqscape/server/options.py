"""How a server is run."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from liqscape.errors import BadArgument

HOST, PORT = "127.0.0.1", 8700


@dataclass(frozen=True)
class Options:
    """How a server is run.

    Parameters
    ----------
    home
        Folder of the store; None is LIQSCAPE_HOME or the platform's.
    host, port
        Where it listens. Anything but loopback needs a token.
    token
        What a client must send as `Authorization: Bearer ..` (or `?token=` for WebSockets); None asks for nothing.
    requests_per_minute
        Of one address; beyond it answers are 429.
    clients
        WebSocket clients at once.
    demo
        Whether the store is that of the simulated market.
    origins
        Further origins whose pages may open WebSockets, such as a development server's.
    warm
        Whether what the page asks first is answered when the server starts.
    """

    home: Path | None = None
    host: str = HOST
    port: int = PORT
    token: str | None = field(default=None, repr=False)
    requests_per_minute: int = 1200
    clients: int = 600
    demo: bool = False
    origins: tuple[str, ...] = ()
    warm: bool = False

    def checked(self) -> Options:
        """Return the options if they are safe.

        Raises
        ------
        BadArgument
            If it would listen beyond this machine without a token, or the token is short.
        """
        if not is_loopback(self.host) and self.token is None:
            raise BadArgument(
                f"serve: {self.host} can be reached from other machines, which needs a token",
                hint=f"Give --token, for example {secrets.token_urlsafe(24)}, or listen on {HOST}.",
            )
        if self.token is not None and len(self.token) < 16:
            raise BadArgument("serve: a token needs at least 16 characters", hint=f"For example {secrets.token_urlsafe(24)}.")
        return self


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
