"""The linear-chain CRF beside pytorch-crf: loss with gradients, and decoding.

    python benchmarks/crf.py

Both get the same weights and batches, turn by turn in one process. Writes
``benchmarks/results/crf.md`` and ``.json``.
"""

import argparse
import copy
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as cli.py does
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torchcrf import CRF as Peer  # noqa: E402, N811

from birnn.nn.batch import sequence_mask  # noqa: E402
from birnn.nn.crf import CRF  # noqa: E402
from birnn.nn.decoding import viterbi  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
SHAPES = ((32, 40, 41), (32, 40, 17), (8, 20, 25), (32, 128, 41))


class Setting(NamedTuple):
    """One batch and both models with the same weights."""

    ours: CRF
    peer: Any
    emissions: Tensor  # [B, T, K]
    tags: Tensor  # [B, T]
    lengths: Tensor  # [B]
    mask: Tensor  # [B, T]


def setting(shape: tuple[int, int, int], *, ragged: bool) -> Setting:
    """Draw a batch ``(B, T, K)``; ragged lengths are uniform, with one of ``T``."""
    torch.manual_seed(0)
    batch, steps, tags = shape
    ours, peer = CRF(tags), Peer(tags, batch_first=True)
    with torch.no_grad():
        peer.transitions.copy_(ours.transitions.normal_())
        peer.start_transitions.copy_(ours.start.normal_())
        peer.end_transitions.copy_(ours.end.normal_())
    lengths = torch.full((batch,), steps)
    if ragged:
        lengths[1:] = torch.randint(1, steps + 1, (batch - 1,))
    emissions = torch.randn(shape) * 2
    gold = torch.randint(tags, (batch, steps))
    return Setting(ours, peer, emissions, gold, lengths, sequence_mask(lengths, steps))


def our_loss(given: Setting) -> tuple[Tensor, Tensor]:
    """The loss of the batch and its gradient in the emissions."""
    x = given.emissions.clone().requires_grad_()
    loss = given.ours(x, given.tags, given.lengths).sum()
    loss.backward()
    assert x.grad is not None
    return loss.detach(), x.grad


def peer_loss(given: Setting) -> tuple[Tensor, Tensor]:
    """The same from pytorch-crf."""
    x = given.emissions.clone().requires_grad_()
    loss = -given.peer(x, given.tags, given.mask)
    loss.backward()
    assert x.grad is not None
    return loss.detach(), x.grad


def our_tags(given: Setting) -> list[list[int]]:
    """The best tags, as lists as pytorch-crf gives them."""
    tags, _ = viterbi(given.emissions, given.lengths, given.ours.potentials())
    pairs = zip(tags.tolist(), given.lengths.tolist(), strict=True)
    return [path[:length] for path, length in pairs]


def peer_tags(given: Setting) -> list[list[int]]:
    """The same from pytorch-crf."""
    with torch.no_grad():
        tags: list[list[int]] = given.peer.decode(given.emissions, given.mask)
    return tags


def milliseconds(call: Callable[[], object]) -> float:
    """Processor time of one call: on a shared machine wall time measures the neighbours."""
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1e3


def race(ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> dict[str, float]:
    """Time both turn by turn, after a warm-up; medians in milliseconds."""
    for _ in range(3):
        ours(), peer()
    mine, other = zip(
        *((milliseconds(ours), milliseconds(peer)) for _ in range(rounds)), strict=True
    )
    found = {"ours": statistics.median(mine), "peer": statistics.median(other)}
    return found | {"ratio": found["peer"] / found["ours"]}


def transition_gradient(given: Setting) -> tuple[Tensor, Tensor]:
    """Of both models, as the last backward left them."""
    ours, peer = given.ours.transitions.grad, given.peer.transitions.grad
    assert ours is not None
    return ours.clone(), peer.clone()


def errors(given: Setting) -> dict[str, float]:
    """The largest differences from pytorch-crf in float64, and of its own float32 from that."""
    exact = given._replace(
        peer=copy.deepcopy(given.peer).double(), emissions=given.emissions.double()
    )
    (loss, x), (peer, peer_x), (wanted, exact_x) = (
        our_loss(given),
        peer_loss(given),
        peer_loss(exact),
    )
    moves, peer_moves = transition_gradient(given)
    exact_moves = exact.peer.transitions.grad
    found = zip(our_tags(given), peer_tags(given), strict=True)
    return {
        "loss": float((loss - wanted).abs() / wanted),
        "gradient": float(max((x - exact_x).abs().max(), (moves - exact_moves).abs().max())),
        "peer_loss": float((peer - wanted).abs() / wanted),
        "peer_gradient": float(
            max((peer_x - exact_x).abs().max(), (peer_moves - exact_moves).abs().max())
        ),
        "tags": sum(a != b for mine, other in found for a, b in zip(mine, other, strict=True)),
    }


def measure(shape: tuple[int, int, int], *, ragged: bool, rounds: int) -> dict[str, Any]:
    """Everything about one shape."""
    given = setting(shape, ragged=ragged)
    return {
        "shape": shape,
        "ragged": ragged,
        "error": errors(given),
        "loss": race(lambda: our_loss(given), lambda: peer_loss(given), rounds),
        "decode": race(lambda: our_tags(given), lambda: peer_tags(given), rounds),
    }


def row(found: dict[str, Any]) -> str:
    """One line of the table."""
    cells = [", ".join(map(str, found["shape"])), "ragged" if found["ragged"] else "full"]
    for name in ("loss", "decode"):
        timed = found[name]
        cells.append(f"{timed['ours']:.2f} / {timed['peer']:.2f}")
        cells.append(f"{timed['ratio']:.1f}×")
    error = found["error"]
    cells += [f"{error[name]:.0e} / {error[f'peer_{name}']:.0e}" for name in ("loss", "gradient")]
    cells.append(str(error["tags"]))
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure all shapes and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lines = [
        f"Processor milliseconds a batch with {options.threads} thread(s), ours / pytorch-crf:"
        f" medians of {options.rounds} turns. Errors, ours / pytorch-crf, are the largest from"
        " pytorch-crf in float64: of the loss relative, of the gradients absolute. Tags: how many"
        " differ between the two.",
        "",
        "| B, T, K | lengths | loss and gradients | ratio | decode | ratio"
        " | loss error | gradient error | tags |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    results = []
    for shape in SHAPES:
        for ragged in (False, True):
            results.append(measure(shape, ragged=ragged, rounds=options.rounds))
            lines.append(row(results[-1]))
            print(lines[-1], flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "crf.md").write_text("\n".join(lines) + "\n")
    (RESULTS / "crf.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
