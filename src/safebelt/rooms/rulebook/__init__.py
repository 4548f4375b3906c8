"""Say what the law demands of whom, why and since when, and what a draft would change."""
