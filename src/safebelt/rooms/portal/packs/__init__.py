"""Reading the portal's data."""
