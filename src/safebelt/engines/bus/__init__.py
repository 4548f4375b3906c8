"""Telling others: what the ledger remembers is relayed to listeners in this process or through NATS JetStream."""
