"""How quick it is: `python -m benchmarks` measures on made-up data and prints one table with the bars it is held to.

May use everything; nothing imports it.
"""
