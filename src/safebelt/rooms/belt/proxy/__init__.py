"""The traffic side: an HTTP/1.1 server and client on bare asyncio protocols with llhttp framing (ADR 0009)."""
