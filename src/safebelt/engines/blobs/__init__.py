"""Large files, kept beside the database and named by what they contain."""
