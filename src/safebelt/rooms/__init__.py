"""One governance measure = one room.  Floors, top to bottom, stand in `.importlinter`."""
