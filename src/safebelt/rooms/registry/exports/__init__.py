"""Writers of what leaves the registry."""
