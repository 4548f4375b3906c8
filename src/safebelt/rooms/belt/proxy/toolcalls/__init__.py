"""Tool calls in traffic: found in every interface's answers, held back until whole, judged, and only then let go."""

from safebelt.rooms.belt.proxy.toolcalls.gates import Driven, gate_of
from safebelt.rooms.belt.proxy.toolcalls.governor import Governor, Holding, Judging, nobody_to_ask
from safebelt.rooms.belt.proxy.toolcalls.offering import last_said, offered
from safebelt.rooms.belt.proxy.toolcalls.waiting import Waiting

__all__ = ["Driven", "Governor", "Holding", "Judging", "Waiting", "gate_of", "last_said", "nobody_to_ask", "offered"]
