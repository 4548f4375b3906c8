"""Safebelt: the safety belt for artificial intelligence.  Every measure is a room, every room has the same doors."""

import safebelt.compiled as _compiled  # noqa: F401  first: it says which of our modules are taken

__version__ = "0.1.0"
