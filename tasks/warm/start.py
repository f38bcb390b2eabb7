"""What a task says of a run from which another begins."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from birnn.config import flatten
from birnn.errors import ConfigError
from birnn.tasks.core.beginning import Choice
from birnn.tasks.core.task import ConfigT, InfoT, SplitT, Task
from birnn.tasks.warm.carrying import Axes

if TYPE_CHECKING:
    from birnn.data.text.words import Lexicon

# Options that say how one file is read and cut, not what is learned of it.
OF_A_FILE = (
    "data", "split", "test_last", "split_column", "validation_share", "test_share", "split_seed",
    "stream", "folds", "fold", "fold_group", "encoding", "skip_ragged", "table", "layout",
    "date_format", "day_first", "time_columns",
)  # fmt: skip
ENCODER = ("encoder", "hidden_size", "layers", "bidirectional", "norm", "residual")


class WarmStart(ABC, Generic[ConfigT, InfoT, SplitT]):
    """The part ``warm`` of a task's specification."""

    fixed: ClassVar[tuple[str, ...]] = ENCODER  # options that say what shape weights have
    refitted: ClassVar[str] = ""  # in words, what is fitted to the new data alone
    unit: ClassVar[str] = ""  # what one of ``items`` is, where that is not the task's unit

    def config(self, config: ConfigT, info: InfoT) -> ConfigT:
        """Where the options of the new run begin: what is made is the old run's.

        How it is trained, and how its file is read, are the task's defaults.
        """
        usual: Any = type(config)()
        old: Any = config
        own = {f.name for f in fields(old.data)}
        anew = {name: getattr(usual.data, name) for name in OF_A_FILE if name in own}
        data = replace(old.data, **{**anew, "data": ""})
        changed: ConfigT = replace(old, data=data, train=self.training(usual.train))
        return changed

    def training(self, usual: Any) -> Any:
        """How a run is trained that begins from another, where that is not the usual."""
        return usual

    @abstractmethod
    def merged(self, old: InfoT, fresh: InfoT, choice: Choice) -> InfoT:
        """The info of the new run, from the old one's and what the new training split says."""

    @abstractmethod
    def axes(self, task: Task[ConfigT, InfoT, SplitT], info: InfoT) -> Axes:
        """What stands along the axes of tensors whose sizes depend on the data."""

    def names(self, info: InfoT) -> Mapping[str, Sequence[str]]:
        """Of what the run has named rows, in the plural: its ``classes``, say."""
        return {}

    def lexicon(self, info: InfoT) -> "Lexicon | None":
        """What says which words have vectors; None where there are no words."""
        return None

    @abstractmethod
    def seen_by(self, task: Task[ConfigT, InfoT, SplitT], split: SplitT, own: InfoT,
                info: InfoT) -> SplitT:  # fmt: skip
        """A split of the info ``own``, as the inputs of a model of another ``info``.

        Raises:
            DataError: such a model can't read it, or predicts something else; says why.
        """

    def common(self, own: InfoT, other: InfoT) -> InfoT:
        """``own``, so that what a model of ``other`` predicts can be scored with it."""
        return own

    def spoken(self, predictions: Any, other: InfoT, common: InfoT) -> Any:
        """Predictions of a model of ``other`` as one of ``common`` would give them."""
        return predictions

    @abstractmethod
    def items(self, split: SplitT, info: InfoT) -> Iterable[Hashable]:
        """What the items of a split are told by, however they are spelled."""

    @abstractmethod
    def content(self, split: SplitT, info: InfoT) -> Iterable[Any]:
        """The items as they are spelled, and what is true of them."""

    def check(self, old: ConfigT, new: ConfigT, name: str) -> None:
        """Refuse options of another shape than those of the run ``name``.

        Raises:
            ConfigError: names the first.
        """
        before, after = (dict(flatten(asdict(part))) for part in (old, new))  # type: ignore[call-overload]
        for option in self.fixed:
            if before[option] != after[option]:
                made = f"{name} was made with {before[option]!r}, not {after[option]!r}"
                raise ConfigError(f"{option}: {made}: leave it out, or train without --from")
