"""What each command answers: data, meta and links, made once for shell, HTTP and whoever comes next.

Each function takes a `Question` and its words as text, and returns an `Answered`: its `data` is what JSON shows, its `parts`
are what text and pictures are made from. May depend on what `api` may. Modules are imported one by one, so that a command
does not load what it does not need: `maps` (one instant), `history` (heatmap, fuel, prints), `shocks`, `record`.
"""
