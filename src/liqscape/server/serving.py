"""uvicorn with an end in order: it waits for answers that are under way, so those that have no end are ended first."""

from __future__ import annotations

from socket import socket

import uvicorn
from fastapi import FastAPI


class Serving(uvicorn.Server):
    """Serves what `create_app` returns."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._application = app

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End server-sent events, then everything else."""
        self._application.state.server.hub.end_events()
        await super().shutdown(sockets)
