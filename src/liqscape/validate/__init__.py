"""Comparisons with what happened: walk-forward predictions, scores, baselines. Only what was known at the time is used.

May depend on everything below `engine`, which it does not know: it reads the store itself.
"""

from liqscape.validate.baselines import move_power
from liqscape.validate.report import Report, Row, validate
from liqscape.validate.scores import Score, score
from liqscape.validate.walk_forward import Predictions, predict

__all__ = ["Predictions", "Report", "Row", "Score", "move_power", "predict", "score", "validate"]
