"""What `_shapes.c` offers; see `shapes`."""

def part(
    body: bytes, names: tuple[bytes, ...], with_numbers: bool, /
) -> tuple[bytes, list[str], tuple[bytes, ...]] | None: ...
