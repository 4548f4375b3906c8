"""标识溯源 Labelling: mark generated content, and say honestly what the mark lacks."""
