"""Writers of foreign forms: Atom, site maps, CSV, JSON-LD, QR codes."""
