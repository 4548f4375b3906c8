"""Machinery that reads foreign registers: bytes to records and to what is wrong with them."""

from safebelt.rooms.registry.imports.reading import Readout, read

__all__ = ["Readout", "read"]
