"""Kits for tests and the demo: worlds in which the truth is known.

Depends on the ground, `model` and `margin`; opens no socket and knows no store. The command line may import it.
"""

__all__: list[str] = []
