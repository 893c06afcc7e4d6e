"""Lets these tests use the small market of the engine's."""

import sys
from pathlib import Path

for room in ("engine", "cli"):
    sys.path.append(str(Path(__file__).parents[1] / room))
