"""What is handed to a belt's worker says every knob, and brings no library along."""

import pickle
import subprocess
import sys
from pathlib import Path

from safebelt.run.handing import Prepared
from safebelt.run.preparing import said_by
from safebelt.settings import EarlierVersion, Settings

SETTINGS = Settings(
    home=Path("/tmp/house"),
    belt_port=8899,
    upstream_fallbacks="https://a.example/v1,https://b.example/v1",
    upstream_fallback_keys="one",
    earlier_versions={"v1": EarlierVersion(upstream="https://old.example/v1")},
    mcp_servers={"files": "https://tools.example/mcp"},
)
HANDED = Prepared(settings=said_by(SETTINGS), policies={}, kept=(), usages={})


def test_every_knob_and_what_follows_from_them_is_handed_over() -> None:
    knobs = HANDED.knobs()

    for name in Settings.model_fields:
        if name != "earlier_versions":
            assert getattr(knobs, name) == getattr(SETTINGS, name), name
    assert knobs.earlier_versions["v1"].upstream == "https://old.example/v1"
    assert knobs.earlier_versions["v1"].systems == SETTINGS.earlier_versions["v1"].systems
    derived = {name for name, value in vars(Settings).items() if isinstance(value, property)}
    assert {"sql_url", "fallback_upstreams", "belt_base"} <= derived
    assert all(getattr(knobs, name) == getattr(SETTINGS, name) for name in derived)


def test_who_takes_it_loads_no_library_of_settings(tmp_path: Path) -> None:
    (tmp_path / "handed").write_bytes(pickle.dumps(HANDED))
    program = (
        "import pickle, sys; handed = pickle.load(open(sys.argv[1], 'rb')); assert handed.knobs().belt_port == 8899\n"
        "print(*sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "handed")], capture_output=True, text=True, check=True
    )

    loaded = set(done.stdout.split())
    assert "safebelt.run.handing" in loaded
    assert not loaded & {"pydantic", "pydantic_settings", "safebelt.settings"}
