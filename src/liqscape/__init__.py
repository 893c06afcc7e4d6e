"""liqscape: the liquidation landscape of a perpetual-futures market, in dollars and with uncertainty."""

__version__ = "0.1.0"
