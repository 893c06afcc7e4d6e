"""Recording: live venues, or a tape, into the store without losing a print.

May depend on everything below `engine`. `Recorder` is the door; `read_health` tells any process how recording goes.
"""

from liqscape.engine.recording.health import Alarm, LineHealth, RecorderHealth, VenueHealth, read_health
from liqscape.engine.recording.recorder import Recorder
from liqscape.engine.recording.wanted import Wanted

__all__ = ["Alarm", "LineHealth", "Recorder", "RecorderHealth", "VenueHealth", "Wanted", "read_health"]
