"""The version, on the ground floor: records of what was computed say which one computed it."""

__version__ = "0.1.0"
