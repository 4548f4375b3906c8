"""Judgments of the rulebook: facts and a day in; what applies, why and when out.  Pure."""
