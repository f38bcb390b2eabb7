"""The states of a language model, for taggers and classifiers."""

from dataclasses import dataclass, replace
from functools import cached_property

from birnn.arrays import Ints
from birnn.data.passages.symbols import BORDER
from birnn.errors import ConfigError
from birnn.nn.one_way.context import BorderStates
from birnn.tasks.language.info import LanguageInfo
from birnn.tasks.language.task import Language


@dataclass(frozen=True)
class LanguageContext:
    """How tokens are spelled, and the network that reads them; blanks stand between tokens."""

    task: Language
    info: LanguageInfo
    border = BORDER

    def __post_init__(self) -> None:
        if self.info.unit != "characters":
            raise ConfigError(f"context: a run of {self.info.unit}; only characters spell tokens")

    @property
    def size(self) -> int:
        """States of each direction."""
        encoder = self.task.config.encoder
        return encoder.hidden_size * (1 + encoder.bidirectional)

    @cached_property
    def separator(self) -> int:
        """The blank."""
        return int(self.info.symbols.encode(" ")[0])

    def spell(self, token: str) -> Ints:
        """Its characters."""
        return self.info.symbols.encode(token)

    def network(self) -> BorderStates:
        """The frozen network."""
        return BorderStates(self.task.model(replace(self.info, sizes=[])))  # without n-grams
