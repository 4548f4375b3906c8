"""The YAML door of the rulebook: reads `law/` and described systems, every error with its file and line."""
