"""Models: the small real one that ships as a package, served on loopback."""
