"""Remember what was done, and prove it to strangers: an append-only transparency log of every governance act."""
