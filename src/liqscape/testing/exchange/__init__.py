"""The rehearsal exchange: venues' own REST and WebSocket formats, fed by a market that is known, with faults on request.

Depends on the ground and `model` (and, for its other market, on `testing.market`); knows no adapter of ours, so that each checks
the other.
"""

from liqscape.testing.exchange.dialect import Answer, Asked, Conversation, Dialect, Refusal, Silent, Topics
from liqscape.testing.exchange.exchange import Link, Lost, RehearsalExchange
from liqscape.testing.exchange.faults import Deed, Fault, FaultKind, script
from liqscape.testing.exchange.listing import Listing
from liqscape.testing.exchange.memory import MemoryTransport
from liqscape.testing.exchange.venues import DIALECTS, every_dialect
from liqscape.testing.exchange.world import Candle, MarginTier, Print, Quote, World

__all__ = [
    "DIALECTS",
    "Answer",
    "Asked",
    "Candle",
    "Conversation",
    "Deed",
    "Dialect",
    "Fault",
    "FaultKind",
    "Link",
    "Listing",
    "Lost",
    "MarginTier",
    "MemoryTransport",
    "Print",
    "Quote",
    "Refusal",
    "RehearsalExchange",
    "Silent",
    "Topics",
    "World",
    "every_dialect",
    "script",
]
