"""LiteLLM's proxy as a peer, in an environment of its own that is thrown away."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench._beltside import words
from bench._wire import PROXY_CORE, free_port, process, wait_for

KEY = "sk-bench-0000"
_INSTALL_SECONDS = 900


def added(folder: Path, upstream: int, stack: ExitStack, targets: list[Any], target: Callable[..., Any]) -> list[str]:
    """Start LiteLLM without and with its content filter; return what there is to say where it does not run."""
    place = folder / "litellm"
    python = place / "bin" / "python"
    try:
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, capture_output=True)
        install = [str(python), "-m", "pip", "install", "-q", "litellm[proxy]"]
        subprocess.run(install, check=True, capture_output=True, timeout=_INSTALL_SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        return [f"LiteLLM was not measured: it cannot be installed here ({type(error).__name__})."]
    said: list[str] = []
    for name, guards in (
        ("LiteLLM, no guards", []),
        ("LiteLLM, its content filter with 10,000 words", [_filter(folder)]),
    ):
        port, config = free_port(), folder / f"litellm-{len(guards)}.yaml"
        config.write_text(json.dumps(_config(upstream, guards)), encoding="utf-8")
        command = [str(place / "bin" / "litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        env = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        log = folder / f"litellm-{len(guards)}.log"
        try:
            pid = stack.enter_context(process(command, core=PROXY_CORE, env=env, log=log))
            wait_for(port, 90)
        except (SystemExit, OSError):
            said.append(f"{name} was not measured: it did not start.")
            continue
        targets.append(target(folder, name, port, pid, key=KEY))
        if guards:  # with more at once it answers fewer than half within 20 s, and completes no stream
            targets[-1].clients, targets[-1].streams = 1, 0
            said.append(f"{name}: one client at a time, no streams; with 32 clients most wait longer than 20 s.")
    return said


def _config(upstream: int, guards: list[dict[str, Any]]) -> dict[str, Any]:
    model = {"model": "openai/bench", "api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "none"}
    return {
        "model_list": [{"model_name": "bench", "litellm_params": model}],
        "general_settings": {"master_key": KEY, "disable_spend_logs": True},
        "litellm_settings": {"telemetry": False},
        **({"guardrails": guards} if guards else {}),
    }


def _filter(folder: Path) -> dict[str, Any]:
    blocked = folder / "blocked.yaml"
    listed = [{"keyword": word, "action": "BLOCK"} for word in words()]
    blocked.write_text(json.dumps({"blocked_words": listed}, ensure_ascii=False), encoding="utf-8")
    given = {
        "guardrail": "litellm_content_filter",
        "mode": ["pre_call", "post_call"],
        "default_on": True,
        "blocked_words_file": str(blocked),
    }
    return {"guardrail_name": "words", "litellm_params": given}
