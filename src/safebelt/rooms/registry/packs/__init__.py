"""Readers of the registry's data: YAML under `registry/`, and mappings that people write."""
