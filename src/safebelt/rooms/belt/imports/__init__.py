"""Files of others that the belt reads: they are hostile until read."""
