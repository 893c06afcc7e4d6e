"""Comparisons with what happened: walk-forward predictions, scores, baselines. Only what was known at the time is used.

May depend on everything below `engine`, which it does not know.
"""

from liqscape.validate.bootstrap import Value
from liqscape.validate.panel import Panel, Schedule, panel
from liqscape.validate.report import Comparison, Judged, Report, Row, Scope, predicted_rows, validate
from liqscape.validate.scores import Card
from liqscape.validate.walk_forward import Predictions, predict

__all__ = [
    "Card",
    "Comparison",
    "Judged",
    "Panel",
    "Predictions",
    "Report",
    "Row",
    "Schedule",
    "Scope",
    "Value",
    "panel",
    "predict",
    "predicted_rows",
    "validate",
]
