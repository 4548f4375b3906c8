"""Keeping: a whole house in one file, and a house out of that file again, on this machine or another.

`backup` writes it, `restore` reads it, `examine` says what a restored house proves, `folders` which files travel,
`commands` is the shell.  What a backup looks like inside: `safebelt.engines.archive` and `archive_rows`.
"""
