"""Words every room shares.  Pure: standard library only, no input or output, no clock, no chance."""
