"""A training run as it stands: the model and all that changes with it, saved and restored whole."""

import dataclasses
import math
import time
from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from birnn import processes
from birnn.config import TrainConfig
from birnn.errors import CheckpointError, ConfigError, NonFiniteLossError, TrainingError
from birnn.nn.engines import compiled_serves
from birnn.nn.precision import EXACT, TF32, products
from birnn.storage.snapshots import Snapshot, check_like, nested, same
from birnn.training.accelerator import make_accelerator
from birnn.training.checkpoints import NOTHING, Wish
from birnn.training.depth import Layers
from birnn.training.events import EpochEvent
from birnn.training.exchange import Exchange, StepSums, same_weights
from birnn.training.optimizer import CompiledAdamW
from birnn.training.randomness import every_state, seed_apart, set_own_state
from birnn.training.schedules import WeightAverage
from birnn.training.tables import RowAdamW, caught_up, large_tables


class Validation(NamedTuple):
    """How an epoch is judged."""

    score: Callable[[], dict[str, float]]
    monitor: str
    lower_is_better: bool
    tie: str = ""  # of two epochs with equal monitors, the one with less of this score is better
    margin: float = 0.0  # by how much a later epoch may be worse than the best, and be kept
    goal: str = ""  # an epoch where this score equals the next has gained nothing over
    floor: str = ""  # what is had without training


READ_EVERY = 64  # steps whose losses wait on a GPU: to read one is to wait for all before it


@dataclass
class Position:
    """Where training stands; plain numbers, summed and divided once."""

    epoch: int = 0  # under way, from 0
    done: int = 0  # optimizer steps of it
    step: int = 0  # optimizer steps of all epochs
    loss: float = 0.0  # summed over the epoch's items, as far as it was read
    items: float = 0.0  # of the epoch, as far
    tokens: int = 0  # of all epochs
    epoch_tokens: int = 0

    def mean_loss(self) -> float:
        """Of the epoch so far."""
        return self.loss / max(self.items, 1e-12)


def parameter_groups(
    model: nn.Module, weight_decay: float, apart: Collection[nn.Parameter] = (),
    layers: Layers | None = None, layer_decay: float = 1.0,
) -> list[dict[str, object]]:  # fmt: skip
    """Decay matrices only: not biases, norms, or tables looked up by index.

    The parameters ``apart`` are left out. A module can ask for another decay of its own parameters
    with an attribute ``weight_decay``. With ``layers``, each group has the ``share`` of the
    learning rate that its depth gives it.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    seen = set(map(id, apart))
    for module in model.modules():
        own = getattr(module, "weight_decay", None)
        table = isinstance(module, (nn.Embedding, nn.EmbeddingBag))
        for parameter in module.parameters(recurse=False):
            if id(parameter) in seen or not parameter.requires_grad:
                continue
            seen.add(id(parameter))
            general = 0.0 if table or parameter.ndim < 2 else weight_decay
            decay = general if own is None else float(own)
            share = layers.rate(parameter, layer_decay) if layers else 1.0
            groups.setdefault((decay, share), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": decay, "share": share}
        for (decay, share), parameters in groups.items()
    ]


@dataclass
class Best:
    """The best epoch so far and a copy of its weights."""

    validation: Validation
    epoch: int = 0
    score: float = math.nan
    scores: dict[str, float] = field(default_factory=dict)
    peak: float = math.nan  # the best score of all epochs: within the margin, less is kept
    state: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if math.isnan(self.peak):  # a snapshot from before there were margins
            self.peak = self.score

    def offer(self, epoch: int, scores: dict[str, float], model: nn.Module) -> bool:
        """Take ``epoch`` if it is better; says whether it is.

        Raises:
            ConfigError: the score that chooses is not among ``scores``.
        """
        monitor, names = self.validation.monitor, ", ".join(scores)
        if monitor not in scores:
            raise ConfigError(f"monitor: there is no metric {monitor!r}; there are: {names}")
        if self.epoch and not self._worse_than(scores):
            return False
        self.epoch, self.score, self.scores = epoch, scores[monitor], scores
        best_of = min if self.validation.lower_is_better else max
        self.peak = self.score if math.isnan(self.peak) else best_of(self.peak, self.score)
        self.state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        return True

    def _worse_than(self, scores: dict[str, float]) -> bool:
        """Whether the epoch that is kept is worse than one of these ``scores``."""
        rule, score = self.validation, scores[self.validation.monitor]
        # Within a margin the later epoch is better, unless neither has learned anything.
        if score == self.score and not (rule.margin and score):
            return rule.tie in scores and scores[rule.tie] < self.scores[rule.tie]
        gain = (self.peak - score) if rule.lower_is_better else (score - self.peak)
        return gain > -rule.margin or math.isnan(self.score)

    def check(self) -> None:
        """Refuse an epoch with a score that is not finite: the last steps spoilt the weights."""
        for name, score in self.scores.items():
            if not math.isfinite(score):
                raise TrainingError(
                    f"no epoch can be kept: validation {name} became {score} in epoch {self.epoch};"
                    " lower --learning-rate or set --clip-norm, and look for odd values in the data"
                )


class Waiting(NamedTuple):
    """What a step summed, on its device until it is read."""

    sums: StepSums
    step: int  # of all, from 1
    batches: range  # of the epoch


class TrainingRun:
    """A model, its optimizer, the average of its weights, its best epoch, and where they stand.

    The model is on the device that ``config`` names from here on.
    """

    def __init__(self, model: nn.Module, config: TrainConfig, validation: Validation) -> None:
        self.config = config
        self.products = TF32 if config.mixed_precision == "tf32" else EXACT
        self.accelerator = make_accelerator(config)
        on_cpu = self.accelerator.device.type == "cpu"
        model = model.to(self.accelerator.device)  # before anything is kept beside its weights
        same_weights(model)
        self.average = WeightAverage(model, config.ema) if config.ema else None
        self.layers = Layers.of(model)
        self.trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.layers.check(config, self.trained.values())
        optimizer = self._optimizer(model, compiled=on_cpu and compiled_serves())
        self.compiled = optimizer if isinstance(optimizer, CompiledAdamW) else None
        self.optimizer: Any = optimizer
        tables = [cast(nn.Parameter, table.weight) for table in self._tables]
        self.exchange = Exchange(model, self.trained.values(), tables)
        self.set_rate(config.learning_rate)
        self.at, self.model = Position(), model
        self.thaw()
        # Of several processes it is not wrapped: see birnn.training.launching.
        self.model = self.accelerator.prepare_model(model, evaluation_mode=processes.count() > 1)
        if self.compiled is None:
            self.optimizer = self.accelerator.prepare(optimizer)
        self.best = Best(validation)
        self.waiting: list[Waiting] = []
        self.read_every = 1 if on_cpu else READ_EVERY
        mps = self.accelerator.device.type == "mps"
        self.sums = torch.float32 if mps else torch.float64  # of losses and counts
        self.history: list[EpochEvent] = []
        self._wish = NOTHING
        seed_apart(config.seed)
        self.position: Callable[[], dict[str, int]] | None = None  # of batches that are streamed
        self.stream: dict[str, int] | None = None  # that position, where a snapshot holds it
        self._began = self._epoch_began = time.perf_counter()  # as if it had never stopped

    def _optimizer(
        self, model: nn.Module, *, compiled: bool
    ) -> "CompiledAdamW | torch.optim.AdamW":
        """AdamW, and apart from it the same of large tables where it is ``compiled``."""
        config, betas = self.config, (0.9, self.config.beta2)
        trained = self.trained.values()
        plain = all(p.dtype == torch.float32 and p.is_contiguous() for p in trained)
        averages = self.average.by_id() if self.average else {}
        tables = large_tables(model, betas) if compiled and plain else []
        depth = self.layers.depth  # they share a learning rate, and thaw together
        self._tables = [t for t in tables if depth[id(t.weight)] == min(depth.values())]
        rows = [cast(nn.Parameter, table.weight) for table in self._tables]
        self.rows = RowAdamW(rows, [averages[id(p)] for p in rows if averages], betas)
        self._reading = [
            table.register_forward_pre_hook(partial(self._read, number))
            for number, table in enumerate(self._tables)
        ]
        for table in self._tables:
            table.sparse = True
        groups = parameter_groups(
            model, config.weight_decay, rows, self.layers, config.layer_decay
        )  # fmt: skip
        if compiled and plain:
            return CompiledAdamW(groups, config.learning_rate, betas, averages)
        # Fused: one pass over the weights.
        return torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, fused=True)

    def thaw(self) -> None:
        """Freeze what does not learn in the epoch under way, and nothing else; as to train."""
        low, depth = self.layers.frozen(self.config, self.at.epoch), self.layers.depth
        for parameter in self.trained.values():
            parameter.requires_grad_(depth[id(parameter)] >= low)
        for module in self.model.modules() if low else ():
            # What is frozen keeps its statistics too.
            if isinstance(module, nn.BatchNorm1d) and depth[id(module.weight)] < low:
                module.eval()

    def set_rate(self, rate: float) -> None:
        """Take the learning rate of the layers on top for the step that comes."""
        self.rate = rate
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]

    def seconds(self) -> float:
        """Of training, over all its starts."""
        return time.perf_counter() - self._began

    def note_loss(
        self, total: Tensor, count: Tensor, batches: int, told: tuple[Tensor, ...] = ()
    ) -> None:
        """Take the summed loss of the step under way, the count of its items and of its batches.

        And what several processes ``told`` each other (:class:`StepSums`).

        Raises:
            NonFiniteLossError: as :meth:`read_losses`.
        """
        at, each = self.at, self.config.accumulate
        first = at.done * each
        sums = StepSums(total, count, told)
        self.waiting.append(Waiting(sums, at.step + 1, range(first, first + batches)))
        if len(self.waiting) >= self.read_every:
            self.read_losses()

    def take_wish(self) -> Wish:
        """What some process wished by the last step that was read; it is told once."""
        wish, self._wish = self._wish, NOTHING
        return wish

    def read_losses(self) -> None:
        """Read the losses that wait on the device, in their order.

        Raises:
            NonFiniteLossError: one is not finite; it names the first step and its batches.
        """
        if not self.waiting:
            return
        waiting, self.waiting = self.waiting, []
        numbers = [part for one in waiting for part in (*one.sums[:2], *one.sums.told)]
        each = torch.stack(numbers).view(len(waiting), -1).tolist()
        for one, (total, count, *told) in zip(waiting, each, strict=True):
            if not math.isfinite(total):
                raise NonFiniteLossError(
                    f"the loss became {total} in epoch {self.at.epoch + 1}, step {one.step};"
                    " lower --learning-rate or set --clip-norm, and look for odd values in the"
                    " data", self.at.epoch, one.batches,
                )  # fmt: skip
            at = self.at
            at.loss, at.items = at.loss + total, at.items + count
            if told:
                tokens, stop, save = map(int, told)
                at.epoch_tokens, at.tokens = at.epoch_tokens + tokens, at.tokens + tokens
                self._wish = Wish(self._wish.stop or stop > 0, self._wish.save or save > 0)

    def gradients(self) -> list[Tensor]:
        """Those there are; of a large table, of the rows that were read, each once."""
        found = []
        for parameter in self.model.parameters():
            if (gradient := parameter.grad) is None:
                continue
            if gradient.is_sparse:
                parameter.grad = gradient.coalesce()
                gradient = parameter.grad._values()
            found.append(gradient)
        return found

    @torch.no_grad()
    def step(self, gradients: list[Tensor], factor: Tensor, tokens: int = 0) -> None:
        """Move the weights along the ``gradients`` times a ``factor``, of so many tokens.

        Those of several processes are not known yet: :meth:`read_losses` counts them.
        """
        decay = self.average.next_decay() if self.average else 0.0
        if self.compiled is not None:
            scale = float(factor)
            self.compiled.step(scale, decay)
            if self._tables and self._tables[0].weight.requires_grad:
                first = cast(nn.Parameter, self._tables[0].weight)
                share = self.layers.rate(first, self.config.layer_decay)
                self.rows.step(self.rate * share, decay, scale)
            if self.average:
                self.average.updates += 1
        else:
            if gradients:
                torch._foreach_mul_(gradients, factor.to(gradients[0].dtype))
            self.optimizer.step()
            if self.average:
                self.average.update()
        at = self.at
        at.done, at.step = at.done + 1, at.step + 1
        at.epoch_tokens, at.tokens = at.epoch_tokens + tokens, at.tokens + tokens

    def judge(self) -> EpochEvent:
        """Score the epoch that is trained, keep it if it is the best, and turn to the next.

        Raises:
            ConfigError: as :meth:`Best.offer`.
            NonFiniteLossError: as :meth:`read_losses`.
        """
        self.read_losses()
        self.rows.flush()
        at = self.at
        self.model.eval()
        averaged = self.average.applied() if self.average else nullcontext()
        with products(), averaged, processes.sharing():
            scores = self.best.validation.score()
            improved = self.best.offer(at.epoch + 1, scores, self.model)
        now = time.perf_counter()
        event = EpochEvent(
            at.epoch + 1, self.config.epochs, at.mean_loss(), scores, self.rate,
            now - self._epoch_began, at.epoch_tokens, improved,
        )  # fmt: skip
        self.history.append(event)
        self.at = Position(at.epoch + 1, step=at.step, tokens=at.tokens)
        self._epoch_began = now
        return event

    def over(self) -> str | None:
        """Why training is over; None while it is not."""
        if self.at.epoch >= self.config.epochs:
            return "all epochs done"
        rule, patience = self.best.validation, self.config.patience
        if not patience or self.at.done:
            return None
        whole = self.layers.thawing(self.config)  # patience is with what can learn
        if self.at.epoch - max(self.best.epoch, whole) >= patience:
            return f"no better {rule.monitor} for {patience} epochs"
        gains = (event.scores.get(rule.goal) != event.scores.get(rule.floor)
                 or rule.floor not in event.scores for event in self.history)  # fmt: skip
        if rule.floor and self.at.epoch >= whole + patience and not any(gains):
            return f"no better {rule.goal} than {rule.floor} for {patience} epochs"
        return None

    def finish(self) -> None:
        """Leave the model with the weights of its best epoch.

        Raises:
            TrainingError: that epoch has a score that is not finite.
        """
        if self.config.mixed_precision != "no":  # only then is it wrapped; to ask loads a compiler
            self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)
        for table, hook in zip(self._tables, self._reading, strict=True):
            table.sparse = False  # for whoever trains the model next
            hook.remove()
        for parameter in self.trained.values():
            parameter.requires_grad_(True)
        self.best.check()
        self.model.load_state_dict(self.best.state)
        self.model.eval()

    def _read(self, number: int, table: nn.Embedding, inputs: tuple[Tensor, ...]) -> None:
        if table.training:
            self.rows.read(number, inputs[0])

    def snapshot(self) -> Snapshot:
        """All that :meth:`restore` needs. Its tensors are the run's own: write it at once.

        Raises:
            NonFiniteLossError: as :meth:`read_losses`.
        """
        self.read_losses()
        now = time.perf_counter()
        seconds = {"seconds": now - self._began, "epoch_seconds": now - self._epoch_began}
        random_numbers, random_tensors = every_state()
        model, best = self.model.state_dict(), self.best
        tensors = {f"model.{name}": part for name, part in model.items()}
        # A frozen table of vectors is half of a model: what is alike is saved once.
        tensors |= {f"best.{n}": part for n, part in best.state.items() if not same(part, model[n])}
        tensors |= random_tensors
        names = {id(p): name for name, p in self.model.named_parameters()}
        for weight, moments in (*self.optimizer.state.items(), *self.rows.moments()):
            own = names[id(weight)]
            tensors |= {f"optimizer.{own}.{name}": part for name, part in moments.items()}
        if self._tables:
            tensors |= {f"rows.{name}": part for name, part in self.rows.state().items()}
        if self.average:
            tensors |= {f"average.{i}": part for i, part in enumerate(self.average.average)}
        numbers = {
            "position": dataclasses.asdict(self.at) | seconds,
            "learning_rate": self.rate,
            "best": {name: getattr(best, name) for name in ("epoch", "score", "scores", "peak")},
            "average_updates": self.average.updates if self.average else 0,
            "history": [dataclasses.asdict(event) for event in self.history],
            **random_numbers,
            "scaler": self.accelerator.scaler.state_dict() if self.accelerator.scaler else None,
            **({"stream": self.position()} if self.position else {}),
        }
        return Snapshot(self.at.step, numbers, tensors)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to where ``snapshot`` was taken, the generators of random numbers too.

        Raises:
            CheckpointError: it is of another model, or not one that :meth:`snapshot` made.
        """
        try:
            self._restore(snapshot)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise CheckpointError(f"the snapshot is not usable ({error!r})") from None

    def _restore(self, snapshot: Snapshot) -> None:
        numbers, tensors = snapshot.numbers, dict(snapshot.tensors)
        if not self._tables:
            self._catch_up(tensors)
        model = self.model.state_dict()
        weights, best = nested(tensors, "model"), nested(tensors, "best")
        check_like(weights, model, "model")
        check_like(best, {name: model[name] for name in best}, "best epoch")
        self.model.load_state_dict(weights)
        self.best = Best(self.best.validation, **numbers["best"])
        if self.best.epoch:
            state = {**weights, **best}
            self.best.state = {n: part.to(model[n].device).clone() for n, part in state.items()}
        self._restore_optimizer(nested(tensors, "optimizer"), nested(tensors, "rows"))
        self.set_rate(float(numbers["learning_rate"]))
        if self.average:
            average = {str(i): part for i, part in enumerate(self.average.average)}
            saved = nested(tensors, "average")
            check_like(saved, average, "average")
            for name, part in average.items():
                part.copy_(saved[name])
            self.average.updates = numbers["average_updates"]
        self.stream = numbers.get("stream")
        if self.accelerator.scaler and numbers["scaler"]:
            self.accelerator.scaler.load_state_dict(numbers["scaler"])
        self.history = [EpochEvent(**event) for event in numbers["history"]]
        now, position = time.perf_counter(), dict(numbers["position"])
        self._began = now - position.pop("seconds")
        self._epoch_began = now - position.pop("epoch_seconds")
        self.at = Position(**position)
        # Last: nothing above may draw from them afterwards.
        set_own_state(numbers, tensors, self.config.seed + self.at.step)

    def _catch_up(self, tensors: dict[str, Tensor]) -> None:
        """Tables of a snapshot that were trained row by row, on their way to a dense optimizer."""
        state, betas = nested(tensors, "rows"), (0.9, self.config.beta2)
        for number, name in enumerate(self.trained):
            if f"optimizer.{name}.last" in tensors:
                moments = nested(tensors, f"optimizer.{name}")
                average = tensors.get(f"average.{number}")
                weight, average, dense = caught_up(
                    tensors[f"model.{name}"], average, moments, state, betas
                )
                del tensors[f"optimizer.{name}.last"]
                tensors |= {f"optimizer.{name}.{key}": part for key, part in dense.items()}
                tensors[f"model.{name}"] = weight
                if average is not None:
                    tensors[f"average.{number}"] = average

    def _restore_optimizer(self, tensors: dict[str, Tensor], rows: dict[str, Tensor]) -> None:
        moments: dict[str, dict[str, Tensor]] = {}
        names = {id(p): name for name, p in self.model.named_parameters()}
        shapes = dict(self.model.named_parameters())
        for name, part in tensors.items():
            own, _, key = name.rpartition(".")
            moments.setdefault(own, {})[key] = part
            if key not in ("step", "last"):
                check_like({key: part}, {key: shapes[own]}, "optimizer")
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        states = [moments.get(names[id(p)], {}) for p in parameters]
        if self.compiled is not None:
            copies = ({key: part.clone() for key, part in state.items()} for state in states)
            pairs = zip(parameters, copies, strict=True)
            self.compiled.state = {p: state for p, state in pairs if state}
        else:
            groups = self.optimizer.state_dict()["param_groups"]
            there = {i: state for i, state in enumerate(states) if state}
            self.optimizer.load_state_dict({"state": there, "param_groups": groups})
        tables = [moments.get(names[id(table.weight)]) for table in self._tables]
        found = [part for part in tables if part is not None]
        if found:
            self.rows.restore(found, rows)
