"""The small vocabularies: sides, price kinds, contract kinds, completeness."""

from __future__ import annotations

from enum import StrEnum


class PositionSide(StrEnum):
    """Side of a position; of a liquidation: the position that was closed."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for a long, -1 for a short."""
        return 1 if self is PositionSide.LONG else -1


class TakerSide(StrEnum):
    """Side of the aggressor of a trade."""

    BUY = "buy"
    SELL = "sell"


class PriceKind(StrEnum):
    """What a bar's price is: the mark price judges margin, the last price is the newest trade."""

    MARK = "mark"
    LAST = "last"


class LiquidationPriceKind(StrEnum):
    """What the price of a liquidation print is; notionals differ by up to the maintenance margin between them."""

    BANKRUPTCY = "bankruptcy"
    ORDER_LIMIT = "order_limit"
    AVERAGE_FILL = "average_fill"
    MARK = "mark"
    UNKNOWN = "unknown"


class ContractKind(StrEnum):
    """Linear: margin and profit in the quote currency. Inverse: in the base coin."""

    LINEAR = "linear"
    INVERSE = "inverse"


class MarginMode(StrEnum):
    """Isolated: the position has its own margin. Cross: it shares the account's."""

    ISOLATED = "isolated"
    CROSS = "cross"


class Completeness(StrEnum):
    """How much of what happened a liquidation feed shows."""

    ALL = "all"
    THROTTLED = "throttled"
    UNKNOWN = "unknown"
