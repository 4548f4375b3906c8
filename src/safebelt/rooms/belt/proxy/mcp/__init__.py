"""The belt before MCP servers: Model Context Protocol over streamable HTTP, guarded as everything else is."""

from safebelt.rooms.belt.proxy.mcp.exchange import McpExchange
from safebelt.rooms.belt.proxy.mcp.servers import McpServer, servers_of

__all__ = ["McpExchange", "McpServer", "servers_of"]
