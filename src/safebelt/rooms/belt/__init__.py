"""Stand in the traffic of an AI system: admit, screen, label, record, limit, and stop."""
