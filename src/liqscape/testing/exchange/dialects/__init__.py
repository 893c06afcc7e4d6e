"""Dialects of the rehearsal exchange, one file per venue. May depend on the room's own base alone, on no adapter of ours."""
