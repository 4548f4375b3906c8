"""What a file of law may say: one pydantic model per kind of entry, unknown keys refused."""
