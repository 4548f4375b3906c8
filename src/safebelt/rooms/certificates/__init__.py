"""Certificates: identity of AI systems that anybody can check, and that can be taken back."""
