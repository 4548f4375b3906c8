"""The rulebook's JSON door."""
