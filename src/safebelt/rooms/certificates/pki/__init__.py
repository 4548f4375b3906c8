"""Everything X.509 behind the certificates: pure machinery without database, network, clock or settings."""
