"""The task contract: what a task must say so that one experiment can run them all."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    NotRequired,
    Protocol,
    TypedDict,
    TypeVar,
)

from torch import nn

from birnn import processes
from birnn.arrays import Array
from birnn.config import EncoderConfig, TrainConfig
from birnn.data.splits.batching import Split
from birnn.data.splits.provenance import FoldPart
from birnn.data.tables.dialect import Dialect
from birnn.data.wording import number_list
from birnn.errors import ConfigError, brief
from birnn.nn.batch import Batch
from birnn.nn.encoders import build_encoder
from birnn.nn.model import Embedder, SequenceModel
from birnn.registry import suggestion
from birnn.search import Space
from birnn.tasks.core.beginning import Beginning
from birnn.tasks.core.evaluation import Evaluation as Evaluation
from birnn.tasks.core.inference import predict, run_split
from birnn.tasks.scoring.metric_names import aligned_score, fitted, score_title
from birnn.training.events import EpochEvent
from birnn.training.losses import LossSum

if TYPE_CHECKING:
    from birnn.training.loop import Batches

Files = dict[str, Any]  # name → JSON value: what a run keeps beside its weights
Predictions = Sequence[Array]  # one array for each item
Record = dict[str, Any]  # an item and what is predicted of it, as JSON


class TaskConfig(Protocol):
    """The groups of options that every task has; a task adds its own."""

    @property
    def encoder(self) -> EncoderConfig:
        """The recurrent layers."""

    @property
    def train(self) -> TrainConfig:
        """How they are trained."""


class Info(Protocol):
    """What must be known about the training split to build and use a model: labels, scalers."""

    def files(self) -> Files:
        """What :meth:`Task.read_info` needs to restore this."""


ConfigT = TypeVar("ConfigT", bound=TaskConfig)
InfoT = TypeVar("InfoT", bound=Info)
SplitT = TypeVar("SplitT", bound=Split)


class Provenance(TypedDict):
    """The ``data`` part of ``metrics.json``: where rows come from. A task may add keys."""

    source: str  # in words; a path is cut down to its name before it is shared
    rows: dict[str, int]  # of each split
    splits: list[str]  # how they were cut, in sentences
    unit: NotRequired[str]  # what ``rows`` counts, in the plural
    notes: NotRequired[list[str]]  # what was left out, in sentences
    overlap: NotRequired[dict[str, Any]]  # of splits, ``exact`` and ``normalised``


class Details(TypedDict, total=False):
    """The ``details`` part of ``metrics.json``; what is there is drawn. A task may add keys."""

    labels: list[str]  # of the classes, with ``confusion``: a picture is drawn
    confusion: list[list[int]]  # gold in rows
    per_class: list[dict[str, Any]]  # label, precision, recall, f1, support
    mistakes: list[dict[str, Any]]  # text, gold, predicted, confidence


@dataclass(frozen=True)
class TaskData(Generic[InfoT, SplitT]):
    """Splits ready for training, and where they came from."""

    splits: dict[str, SplitT]  # train, validation, test
    info: InfoT
    provenance: dict[str, Any]  # a :class:`Provenance`, and keys of the task's own
    notes: list[str] = field(default_factory=list)  # sentences for the header
    warnings: list[str] = field(default_factory=list)  # sentences that can't be missed
    # How it was read, which a run remembers: ``table`` (a :class:`~birnn.data.tables.dialect.
    # Dialect`) and keys of the task's own.
    reading: dict[str, Any] = field(default_factory=dict)
    fold: FoldPart | None = None  # where the test split stands in the whole data
    # Batches of train where it is streamed, of which ``splits`` holds a sample; and what tells the
    # stream from others.
    stream: "Callable[[TrainConfig], Batches] | None" = None
    stream_identity: Sequence[str] = ()


@dataclass(frozen=True)
class LoadedSplit(Generic[SplitT]):
    """A split to score a trained model on."""

    split: SplitT
    source: str
    notes: list[str]


@dataclass(frozen=True)
class Baseline:
    """A simple model beside the network."""

    name: str  # the key in metrics.json
    label: str  # in words
    predictions: Any  # on the test split, as :meth:`Task.predictions` gives them
    settings: dict[str, Any]
    info: Any = None  # of the predictions, where that is not the run's own


class Task(ABC, Generic[ConfigT, InfoT, SplitT]):
    """One kind of prediction; what is abstract, every task says: data, model, training, scoring.

    A task is made from its configuration and keeps no other state: whatever it learns about the
    data is in the ``info`` that it hands out. Of a loaded run, ``reading`` says how its data was
    read (:attr:`TaskData.reading`), so that other data is read alike, and ``began`` which run it
    was begun from. What is about to be trained from another run has that as its ``origin``.
    """

    name: ClassVar[str]
    monitors: ClassVar[tuple[str, ...]]  # validation metrics; the first chooses the epoch
    headline: ClassVar[tuple[str, ...]]  # the test metrics, where defined, that are compared
    unit: ClassVar[str] = "rows"  # what an item is, in the plural
    length_unit: ClassVar[str] = "steps"  # of an item
    item_column: ClassVar[str] = ""  # that numbers items in ``records``; empty: a row is an item
    errors: ClassVar[bool] = False  # the headline holds errors, compared as shares of each other

    def __init__(self, config: ConfigT) -> None:
        self.config = config
        self.reading: Mapping[str, Any] = {}
        self.began: Mapping[str, Any] = {}
        self.origin: Beginning | None = None

    @property
    def trained(self) -> Dialect | None:
        """How the files were read that a loaded run was trained on.

        Raises:
            ConfigError: the run says something that is no dialect.
        """
        return Dialect.from_json(self.reading.get("table"))

    @property
    def columns(self) -> Mapping[str, str]:
        """The columns of a loaded run's own data, by what they held; empty if it doesn't say.

        Raises:
            ConfigError: the run says something that names no columns.
        """
        columns = self.reading.get("columns", {})
        if not isinstance(columns, dict) or any(type(v) is not str for v in columns.values()):
            raise ConfigError(f"reading: {brief(columns)} does not name columns")
        return columns

    # Data

    @abstractmethod
    def load(self) -> TaskData[InfoT, SplitT]:
        """Read and split the data; vocabulary, scaler and labels come from train alone."""

    @abstractmethod
    def load_split(self, info: InfoT, source: str, name: str) -> LoadedSplit[SplitT]:
        """A split for a trained model: nothing is learned from it.

        Args:
            source: what to load; empty: the run's own data, split as for training. Data in one
                piece is taken whole.
            name: train, validation or test.
        """

    @abstractmethod
    def read_info(self, folder: Path) -> InfoT:
        """Restore the info that a run folder holds.

        Raises:
            CheckpointError: a file is missing or is not what it should be.
        """

    def name_items(self, split: SplitT, items: Array) -> str:
        """Where the user finds the ``items`` (their numbers) of the split train."""
        return "rows " + number_list(items + 1) + " of train"

    # Model

    def embedder(self, info: InfoT) -> Embedder:
        """A batch → steps ``[B, T, F]``; a task that has a :meth:`model` of its own needs none."""
        raise NotImplementedError(f"{self.name}: give an embedder and a head, or a model")

    def head(self, input_size: int, info: InfoT) -> nn.Module:
        """Encoded states ``[B, T, input_size]`` and a batch → outputs; as :meth:`embedder`."""
        raise NotImplementedError(f"{self.name}: give an embedder and a head, or a model")

    def network(self, info: InfoT) -> SequenceModel:
        """One network: embedder, encoder and head."""
        embedder = self.embedder(info)
        if not embedder.output_size:
            raise ConfigError("a step has no features: every size that makes some is 0")
        encoder = build_encoder(embedder.output_size, self.config.encoder)
        return SequenceModel(embedder, encoder, self.head(encoder.output_size, info))

    def model(self, info: InfoT) -> nn.Module:
        """The whole model, freshly initialised: called with a batch, gives outputs."""
        return self.network(info)

    def describe(self, info: InfoT) -> list[tuple[str, str]]:
        """Lines of the header: what will be trained."""
        encoder = self.config.encoder
        ways = "bidirectional" if encoder.bidirectional else "one way"
        return [("encoder", f"{encoder.encoder}, {encoder.layers} × {encoder.hidden_size}, {ways}")]

    # Training

    def make_room(self, model: nn.Module, data: TaskData[InfoT, SplitT]) -> None:
        """Make room for what the model keeps while it trains; of several processes, each does."""
        return

    def prepare(self, model: nn.Module, data: TaskData[InfoT, SplitT]) -> None:
        """Fit, before training, the parts of the model that depend on the data alone."""
        return

    @abstractmethod
    def loss(self, outputs: Any, batch: Batch) -> LossSum:
        """What training minimises, summed over the batch."""

    @abstractmethod
    def count(self, outputs: Any, batch: Batch, info: InfoT) -> Mapping[str, Array]:
        """Summable counts from which :meth:`scores` makes the validation metrics."""

    @abstractmethod
    def scores(self, counts: Mapping[str, Array]) -> dict[str, float]:
        """Validation metrics from the counts of a whole split."""

    def validate(
        self, model: nn.Module, data: TaskData[InfoT, SplitT], config: TrainConfig
    ) -> dict[str, float]:
        """Scores of an epoch: counts summed over the validation split, and divided once."""
        counts: dict[str, Array] = {}
        validation = data.splits["validation"]
        for _, batch, outputs in run_split(model, validation, config, stay=True, shared=True):
            for name, part in self.count(outputs, batch, data.info).items():
                counts[name] = counts.get(name, 0) + part
        return self.scores(processes.summed(counts))

    def floor(self, info: InfoT) -> str:
        """The score of :meth:`validate`, if any, that the monitor has without any training.

        An epoch whose monitor equals it has gained nothing; where none has gained anything for as
        long as there is patience, training ends.
        """
        return ""

    def chooser(self, model: nn.Module, info: InfoT) -> str:
        """The score of :meth:`validate` that chooses the epoch: the monitor, or a part of it."""
        return self.monitor(info)

    def chosen_by(self, info: InfoT) -> str:
        """In words, the validation score of :meth:`chooser`, before there is a model."""
        return self.monitor(info)

    def monitors_for(self, info: InfoT) -> tuple[str, ...]:
        """Those of ``monitors`` that this data has."""
        return self.monitors

    def monitor(self, info: InfoT) -> str:
        """The validation metric that chooses the epoch.

        Raises:
            ConfigError: the configuration names one that the task doesn't have.
        """
        known = self.monitors_for(info)
        name = self.config.train.monitor or known[0]
        if name not in known:
            near = suggestion(name, known)
            raise ConfigError(f"monitor: {name!r} is not one of {', '.join(known)}{near}")
        return name

    def search_spaces(self, info: InfoT) -> dict[str, Space]:
        """Where ``tune`` looks for options whose range depends on the data; else as they say."""
        return {}

    def without_test(self, data: TaskData[InfoT, SplitT]) -> TaskData[InfoT, SplitT]:
        """``data`` with nothing of the test split in it, for whoever must not read it."""
        splits = {name: data.splits[name] for name in ("train", "validation")}
        return replace(data, splits=splits)

    @property
    def least_batch(self) -> int:
        """Items to which batches of the task's usual size are halved for little data; 0: never."""
        train, usual = self.config.train, type(self.config)().train
        return train.least_batch if train.batch_size == usual.batch_size else 0

    def margin(self, data: TaskData[InfoT, SplitT]) -> float:
        """How much worse than the best epoch, by the monitor, a later one may be and be kept.

        More than 0 where validation is too small to tell epochs apart.
        """
        return 0.0

    @property
    def views(self) -> int:
        """How many dropout views of each item a training batch holds."""
        return 1

    @property
    def epoch_items(self) -> int:
        """Items that an epoch has at most, drawn anew each time; 0 for all."""
        return 0

    def epoch_line(self, event: EpochEvent) -> str | None:
        """What is printed when an epoch ends, scores as the report names them; None for nothing."""
        scores = "  ".join(
            f"{score_title(name).removesuffix(' %')} {aligned_score(name, value)}"  # 80 columns
            for name, value in event.scores.items()
        )
        mark = " *" if event.improved else ""
        number = f"{event.epoch:>{len(str(event.epochs))}}/{event.epochs}"
        loss, seconds = fitted(event.loss, 5, 3), fitted(event.seconds, 3, 1)
        return f"epoch {number}  loss {loss}  {scores}  {seconds} s{mark}"

    def finish(self, model: nn.Module, data: TaskData[InfoT, SplitT]) -> dict[str, Any]:
        """Fit on validation what training leaves (a temperature, say); returns what was set."""
        return {}

    # Scoring

    @abstractmethod
    def decode(self, outputs: Any, batch: Batch) -> list[Array]:
        """One array for each item: what is predicted, in the user's units."""

    def predictions(self, model: nn.Module, split: SplitT, info: InfoT) -> Any:
        """What is evaluated: one array for each item, unless a task has a better form."""
        return predict(self, model, split, told="predicting")

    # Ensembles

    def soft(self, model: nn.Module, split: SplitT, info: InfoT) -> Any:
        """What of a model's predictions an ensemble averages."""
        return self.predictions(model, split, info)

    def joint_info(self, infos: Sequence[InfoT]) -> InfoT:
        """What an ensemble of models with these infos knows: its predictions are in its terms."""
        return infos[0]

    def combined(self, parts: Sequence[tuple[SplitT, Any, InfoT]], info: InfoT) -> Any:
        """The predictions of an ensemble, from what :meth:`soft` gives of each of its models.

        Each of ``parts`` is a model's split, its soft predictions and its info; ``info`` is that of
        :meth:`joint_info`. As :meth:`predictions` gives them, of the first split.

        Raises:
            ConfigError: the task has no ensembles.
        """
        raise ConfigError(f"ensemble: runs of {self.name} can't be averaged; leave it out")

    def backtest(self, model: nn.Module, data: TaskData[InfoT, SplitT], epochs: int) -> Any:
        """Predictions of the test split; ``epochs`` is how long the kept model was trained."""
        return self.predictions(model, data.splits["test"], data.info)

    @abstractmethod
    def evaluate(self, split: SplitT, predictions: Any, info: InfoT, seed: int) -> Evaluation:
        """Test metrics of :meth:`predictions`; ``seed`` is the bootstrap's."""

    @abstractmethod
    def baselines(self, data: TaskData[InfoT, SplitT]) -> list[Baseline]:
        """Simple models, fitted on train, tuned on validation, predicting test."""

    # Report

    @abstractmethod
    def records(self, split: SplitT, predictions: Any, info: InfoT) -> Iterable[Record]:
        """Rows of ``predictions.csv``."""

    def save_record(self, folder: Path, split: SplitT, predictions: Any, info: InfoT) -> None:
        """Write what the specification's ``test_record`` reads beside ``predictions.csv``."""
        return

    def details(self, split: SplitT, predictions: Any, info: InfoT) -> dict[str, Any]:
        """What the report shows beyond scores: :class:`Details`, and keys of the task's own."""
        return {}

    def advice(self, data: TaskData[InfoT, SplitT], predictions: Any, *, behind: bool) -> list[str]:
        """What would help, each in a few words; empty where nothing is amiss.

        ``behind``: a baseline has a better first headline score on test than ``predictions``.
        """
        rows, unit = len(data.splits["train"]), data.provenance.get("unit", self.unit)
        return [f"more {unit} to train on ({rows:,} now)"] if behind else []

    def report_extras(self, model: nn.Module, data: TaskData[InfoT, SplitT], predictions: Any,
                      baselines: Sequence[Baseline]) -> dict[str, Any]:  # fmt: skip
        """What the run's report shows that no other of its files holds, as JSON."""
        return {}

    def save_extras(self, folder: Path, model: nn.Module, data: TaskData[InfoT, SplitT],
                    predictions: Any, details: Mapping[str, Any]) -> None:  # fmt: skip
        """Write what a run keeps beside ``predictions.csv``; ``details`` are the report's."""
        return

    def settle(self, model: nn.Module, data: TaskData[InfoT, SplitT]) -> dict[str, Any]:
        """The last word on the model, after its report; returns what ``metrics.json`` says of it.

        The test split has no part in it.
        """
        return {}
