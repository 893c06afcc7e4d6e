"""What each command computes and shows: one file per command, imported when it runs.

May depend on every room below the command line.
"""

__all__: list[str] = []
