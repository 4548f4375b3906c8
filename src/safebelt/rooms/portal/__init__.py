"""公众门户 Portal: what everybody may see, for people and for machines, without signing in."""
