"""The plate of the labelling room."""

from safebelt.kernel.rooms import Room
from safebelt.kernel.text import Text

ROOM = Room(
    name="labelling",
    title=Text(zh="标识溯源", en="Labelling"),
    purpose=Text(
        zh="为生成内容加注标识，并如实说明标识缺少什么。", en="Mark generated content, and say what a mark lacks."
    ),
    serves=("R8", "R9"),
)
