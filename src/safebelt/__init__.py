"""Safebelt: the safety belt for artificial intelligence.  Every measure is a room, every room has the same doors."""

__version__ = "0.1.0"
