"""The registry's plate."""

from safebelt.kernel.rooms import Room
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.api import RegistryApi
from safebelt.rooms.registry.cli import commands
from safebelt.rooms.registry.model import PartyRegistered, PersonNamed, SystemChanged, SystemRegistered
from safebelt.rooms.registry.pages import HomePage, RegistryPages

ROOM = Room(
    name="registry",
    title=Text(zh="登记", en="Registry"),
    purpose=Text(
        zh="知道有哪些 AI 系统、由谁提供、谁来负责，并为每个系统建立卷宗。",
        en="Know which AI systems exist, who provides them and who answers for them, and keep each one's dossier.",
    ),
    serves=("R10",),
    events=(PartyRegistered, SystemRegistered, PersonNamed, SystemChanged),
    api=(RegistryApi,),
    pages=(HomePage, RegistryPages),
    cli=commands,
    tables=(store.party, store.system, store.person),
)
