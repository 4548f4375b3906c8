"""Human command: orders, the gate every byte passes, and the proof that a stop worked."""
