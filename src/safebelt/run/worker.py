"""A belt's worker in a process of its own, which holds what exchanges need and nothing else.

    python -m safebelt.run.worker FILE WORKER WORKERS safebelt serve belt

`preparing.hand_over` starts it; nobody else does.
"""

import sys

from safebelt.engines.garbage import building


def main() -> int:
    """Serve; return the exit code."""
    sys.modules["rich"] = None  # type: ignore[assignment]  # structlog loads it where it can, for tracebacks in colour
    with building():
        from safebelt.app import House  # noqa: PLC0415  after the line above, as everything that loads structlog
        from safebelt.engines.logs import configure  # noqa: PLC0415
        from safebelt.kernel.errors import Problem  # noqa: PLC0415
        from safebelt.run.belt import serve_prepared  # noqa: PLC0415
        from safebelt.run.handing import taken  # noqa: PLC0415

    number, worker, workers = map(int, sys.argv[1:4])
    prepared = taken(number)
    settings = prepared.knobs()
    configure(is_json=settings.log_format == "json")
    house = House(settings, is_prepared=True)
    try:
        serve_prepared(house, prepared, worker=worker, workers=workers)
    except Problem as problem:
        sys.stderr.write(f"{problem.in_(settings.lang)}\n")
        return problem.exit_code
    finally:
        house.close()
    sys.stdout.write("已结束。\n" if settings.lang == "zh" else "Ended.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
