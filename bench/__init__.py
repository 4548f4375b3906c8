"""Every speed claim as a runnable side-by-side measurement; `make bench` runs them all and prints ratios."""
