"""Trained models that judge texts, from optional packages, each in a process of its own."""

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""Largest question or answer between the belt and such a process."""
