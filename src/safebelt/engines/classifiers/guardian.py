"""Guardian: a small linear model that tells injections from other texts; of the extra `injection-classifier`.

Word and character n-grams, logistic regression, JSON weights, the standard library alone: nothing is unpickled and
nothing is fetched.  Its package can also look for its weights on the network; that part is not used.  The weights are
read from the package's own file, and only if they are those that were measured (`screening/measured/guardian.json`).
"""

import gzip
import json
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from importlib.resources import files
from typing import Any

from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import Text

MODEL = "guardian"
PACKAGE = "securevector-guardian-model"
VERSION = "1.4.0"
WEIGHTS_SHA256 = "674174000c38d2220278b7354eb57cc2b580c54c9125fe55503d17914b161557"
"""Of the file of weights in that version."""
INJECTIONS = frozenset({"prompt_injection", "jailbreak", "data_exfiltration", "model_attack"})
"""Its classes that are attacks on a model.  It also knows personal data and harmful contents; other rules do those."""
CHUNK_CHARS, OVERLAP_CHARS = 4_000, 400
"""A longer text is read in pieces: the model itself looks at no more than 300 windows of a text."""


class Guardian:
    """The model, loaded.

    Raises:
        Unavailable: Its package is not installed, or has other weights.
    """

    def __init__(self) -> None:
        try:
            infer, window = import_module("svguardian.model.pure_infer"), import_module("svguardian.window")
            packed = files("svguardian").joinpath("_runtime", "guardian.runtime.json.gz").read_bytes()
        except (ImportError, OSError) as error:
            raise _missing() from error
        found = sha256(packed).hexdigest()
        if found != WEIGHTS_SHA256:
            raise _other(found)
        self._model: Any = infer.PureGuardian(json.loads(gzip.decompress(packed)))
        self._predict: Any = window.predict_windowed

    def score(self, text: str) -> float:
        """Return how probable it is that a text attacks the model, from 0 to 1; 0 below the model's own threshold."""
        return max(map(self._score, _chunks(text)), default=0.0)

    def _score(self, chunk: str) -> float:
        found = self._predict(self._model, chunk)
        is_attack = found["verdict"] == "malicious" and found["category"] in INJECTIONS
        return float(found["malicious_score"]) if is_attack else 0.0


def _chunks(text: str) -> Iterator[str]:
    for start in range(0, max(1, len(text) - OVERLAP_CHARS), CHUNK_CHARS - OVERLAP_CHARS):
        yield text[start : start + CHUNK_CHARS]


_HINT = Text(
    zh=f"请安装可选组件：pip install 'safebelt[injection-classifier]'（{PACKAGE} {VERSION}）。",
    en=f"Install the extra: pip install 'safebelt[injection-classifier]' ({PACKAGE} {VERSION}).",
)


def _missing() -> Unavailable:
    what = Text(zh=f"没有安装提示注入分类器 {PACKAGE}。", en=f"The injection classifier {PACKAGE} is not installed.")
    return Unavailable(what=what, hint=_HINT)


def _other(found: str) -> Unavailable:
    return Unavailable(
        what=Text(
            zh=f"{PACKAGE} 的权重不是测量过的那一份（SHA-256 {found[:12]}…）。",
            en=f"The weights of {PACKAGE} are not those that were measured (SHA-256 {found[:12]}…).",
        ),
        hint=_HINT,
    )
