"""The log as files: the public static one that anybody reads, and the tree that proofs come from."""

from safebelt.rooms.ledger.tiles.auditing import LONG_STRETCH, STRETCH, BundlesJob, Folders, RowsJob, examined
from safebelt.rooms.ledger.tiles.heights import Heights
from safebelt.rooms.ledger.tiles.static import WIDTH, Missing, Reader, Tiles, pack, split, tile_path, unpack
from safebelt.rooms.ledger.tiles.tree import Tree

__all__ = [
    "LONG_STRETCH",
    "STRETCH",
    "WIDTH",
    "BundlesJob",
    "Folders",
    "Heights",
    "Missing",
    "Reader",
    "RowsJob",
    "Tiles",
    "Tree",
    "examined",
    "pack",
    "split",
    "tile_path",
    "unpack",
]
