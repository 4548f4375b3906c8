"""File formats: where each carries the implicit label, and how it is put there without touching anything else."""
