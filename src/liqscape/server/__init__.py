"""HTTP and WebSocket over the store, and the dashboard: `liqscape serve`.

May depend on `api` and everything below; only `cli` knows it. It computes nothing itself: `api.answers` says what every
command says, so that a number is the same wherever it is read.
"""
