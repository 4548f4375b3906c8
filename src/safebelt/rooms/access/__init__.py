"""Who may do what: people, roles, sessions, tokens, and the policies that decide."""
