"""Lets these tests use the small market of the engine's."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "engine"))
