"""The registry's pages; `doors` answers, `words` holds the wording that several of them share."""

from safebelt.rooms.registry.pages.doors import HomePage, RegistryPages

__all__ = ["HomePage", "RegistryPages"]
