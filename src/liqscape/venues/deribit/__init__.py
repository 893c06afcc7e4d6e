"""Deribit's perpetuals, inverse and linear, API v2. May depend on `model`, the ground and the room's own base."""

from liqscape.venues.deribit.venue import Deribit

__all__ = ["Deribit"]
