"""A small real training under Safebelt: scikit-learn learns its bundled digits, step by step, until done or stopped.

python train.py --system sys_… --epochs 30 --out model.npz       (needs SAFEBELT_URL, SAFEBELT_TOKEN, scikit-learn)
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from safebelt_runner import Refused, Safebelt, Stopped, digest
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

BATCH = 128


def main() -> int:
    """Ask, wait for the grant, train, and propose what came of it.  Exit 0 done, 2 refused, 3 stopped."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--system", required=True)
    options.add_argument("--epochs", type=int, default=30)
    options.add_argument("--out", type=Path, default=Path("model.npz"))
    said = options.parse_args()

    pixels, digits = load_digits(return_X_y=True)
    pixels, held_out, digits, truth = pixels[:-300], pixels[-300:], digits[:-300], digits[-300:]
    batches = [slice(start, start + BATCH) for start in range(0, len(pixels), BATCH)]
    config = {"alpha": 1e-4, "loss": "log_loss", "random_state": 0}
    # Two multiply-adds a weight and example, forward and back: the usual estimate of compute, 6 · weights · examples.
    flop_each = 6.0 * pixels.shape[1] * 10 * BATCH
    steps = said.epochs * len(batches)
    code = digest(__file__) + json.dumps(config, sort_keys=True)

    partial = said.out.with_suffix(".partial.npz")
    try:
        job = Safebelt().ask(
            "training",
            said.system,
            "Learn handwritten digits from scikit-learn's bundled data",
            datasets=[hashlib.sha256(pixels.tobytes() + digits.tobytes()).hexdigest()],
            flop=flop_each * steps,
            steps=steps,
            config=hashlib.sha256(code.encode()).hexdigest(),
        )
        print(f"{job.id} waits for a person", flush=True)  # noqa: T201
        with job.wait(every_seconds=0.2):
            model = SGDClassifier(**config)
            for step in job.steps(range(steps), flop_each=flop_each, report_every_seconds=0.2):
                batch = batches[step % len(batches)]
                model.partial_fit(pixels[batch], digits[batch], classes=range(10))
                if step % len(batches) == 0:
                    job.measure(accuracy=float(model.score(held_out, truth)), epoch=step // len(batches))
                    np.savez(partial, coef=model.coef_, intercept=model.intercept_, step=step)
            job.measure(accuracy=float(model.score(held_out, truth)), epoch=said.epochs)
            np.savez(partial, coef=model.coef_, intercept=model.intercept_, step=steps)
            partial.replace(said.out)  # only a finished training bears the name that is proposed
            job.made(str(said.out))
    except Refused as error:
        print(f"refused: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except Stopped as error:
        print(f"stopped: {error}", file=sys.stderr)  # noqa: T201
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
