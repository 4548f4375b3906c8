"""Machines the house stands on, each embedded form beside its scaled-out form."""
