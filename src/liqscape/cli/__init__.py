"""The shell door: words people type become calls, and answers become text, JSON, tables and pictures.

May depend on every room. Declarations (`readings.py`, `machine.py`) stay light, so that help is there at once; what computes
is imported when its command runs, from `views/`.
"""

__all__: list[str] = []
