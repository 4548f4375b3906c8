"""Access's pages."""

from safebelt.rooms.access.pages.people import AccountPages, SignInPages, UserPages, WhyPages
from safebelt.rooms.access.pages.proposals import ProposalPages

PAGES = (SignInPages, AccountPages, UserPages, WhyPages, ProposalPages)

__all__ = ["PAGES", "AccountPages", "ProposalPages", "SignInPages", "UserPages", "WhyPages"]
