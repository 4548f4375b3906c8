"""Know what exists: parties, AI systems, the people who answer for them, and each system's dossier."""
