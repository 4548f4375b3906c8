"""The law and its dates in other people's forms."""
