"""The bridge: joins market data (venues, store) with the maths (estimate, margin). May depend on every lower room."""
