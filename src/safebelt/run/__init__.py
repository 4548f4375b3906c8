"""The processes of the house: `up` keeps the others; console, belt, work and model are its children.

Small by default: four processes on one machine.  At scale each runs on its own, with the same settings.
"""
