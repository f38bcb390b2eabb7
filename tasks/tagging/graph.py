"""The tagger as an ONNX graph: scores of tags; the chain that joins them stands beside it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from birnn.arrays import Array
from birnn.data.tags.spelling import CASE_SIZE, MAX_CHARACTERS
from birnn.data.text.offsets import CLITIC, token_pattern
from birnn.nn.batch import Batch
from birnn.tasks.export import graph as export
from birnn.tasks.export.check_script import LENGTHS, sample_texts
from birnn.tasks.export.graph import Arrays, Axes, Graph, check_no_context
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.tagging.model import TaggingModel, TaggingOutputs
from birnn.tasks.tagging.serve import tag_raw


class TaggingGraph(Graph):
    """Tokens → scores of tags, as sharp as the run's chain."""

    axes: ClassVar[Axes] = {
        "types": {0: "batch", 1: "time"}, "word_ids": {0: "words"},
        "vector_rows": {0: "words", 1: "rows"}, "vector_counts": {0: "words"},
        "characters": {0: "words", 1: "letters"}, "character_lengths": {0: "words"},
        "affixes": {0: "words"}, "case": {0: "words"}, "lengths": {0: "batch"},
        "scores": {0: "batch", 1: "time"},
    }  # fmt: skip

    def __init__(self, run: Any) -> None:
        super().__init__(run)
        check_no_context(run)
        model = run.model
        assert isinstance(model, TaggingModel)
        self.vectors = model.pretrained is not None
        members: list[Any] = list(model.members)
        self.chain = model.chain([member.head.chain.potentials() for member in members])
        self.bonus = model.span_bonus * model.openers

    @property
    def inputs(self) -> tuple[str, ...]:
        """See :class:`Graph`."""
        lexicon = self.info.lexicon
        return (
            "types", "word_ids",
            *(("vector_rows", "vector_counts") if self.vectors else ()),
            *(("characters", "character_lengths") if lexicon.characters else ()),
            *(("affixes",) if lexicon.affixes else ()),
            *(("case",) if self.task.config.model.case else ()),
            "lengths",
        )  # fmt: skip

    @property
    def outputs(self) -> tuple[str, ...]:
        """See :class:`Graph`."""
        return ("scores",)

    def feeds(self, batch: Batch) -> Arrays:
        """Bags as padded rows; the rest as it is."""
        given = batch.inputs
        found = {name: given[name].numpy() for name in self.inputs if name in given}
        if self.vectors:
            found["vector_rows"], found["vector_counts"] = export.padded_rows(
                given["vector_rows"], given["vector_offsets"]
            )
        return {**found, "lengths": batch.lengths.numpy()}

    def answer(self, inputs: Mapping[str, Tensor], lengths: Tensor) -> tuple[Tensor, ...]:
        """``[B, T, K]``."""
        outputs: TaggingOutputs = self.plain(Batch(dict(inputs), lengths))
        return (outputs.scores,)

    def wanted(self, outputs: TaggingOutputs) -> Mapping[str, Tensor]:
        """See :class:`Graph`."""
        return {"scores": outputs.scores}

    def read(self, found: Mapping[str, Tensor], batch: Batch) -> TaggingOutputs:
        """See :class:`Graph`; of the members nothing is known."""
        return TaggingOutputs([], found["scores"], self.chain, self.bonus, batch.lengths)

    def sample(self, lengths: Sequence[int], generator: np.random.Generator) -> Batch:
        """Random tokens of 1 to 32 letters."""
        words, lexicon = min(sum(lengths), 500), self.info.lexicon
        sizes = generator.integers(1, MAX_CHARACTERS + 1, words)
        steps = np.arange(int(sizes.max()))
        letters = generator.integers(0, max(len(lexicon.characters), 1), (words, len(steps)))
        arrays = {
            "character_lengths": sizes,
            "characters": letters * (steps < sizes[:, None]),
            "affixes": generator.integers(0, max(len(lexicon.affixes), 1), (words, 7)),
            "case": generator.integers(0, 2, (words, CASE_SIZE)).astype(np.float32),
            "word_ids": generator.integers(0, len(lexicon.words.words), words),
        }
        inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
        inputs["types"] = export.types_sample(lengths, words, generator)
        if self.vectors:
            inputs["vector_rows"], inputs["vector_offsets"] = export.ragged_sample(
                len(lexicon.words.vector_words), words, 3, generator
            )
        return Batch(inputs, torch.tensor(lengths))

    def card(self) -> dict[str, Any]:
        """Tags, their chain, words, letters, affixes, and how texts become tokens."""
        info, lexicon = self.info, self.info.lexicon
        # As JSON has numbers: None for a forbidden move.
        chain = {
            name: np.array(np.where(part.isneginf().numpy(), None, part.numpy())).tolist()
            for name, part in self.chain._asdict().items()
        }
        return {
            "task": "tagging", "labels": info.labels, "scheme": info.scheme,
            "token_pattern": token_pattern().pattern, "clitic_pattern": CLITIC.pattern,
            "words": lexicon.words.words, "vector_words": list(lexicon.words.vector_words),
            "characters": lexicon.characters, "affixes": lexicon.affixes,
            "chain": chain, "bonus": self.bonus.tolist(),
        }  # fmt: skip

    def apart(self, found: Array, wanted: Array) -> float:
        """How far the confidences are apart.

        Two tag sequences that are equally good may both be found: where tags differ, so do the
        confidences of the two, unless they are a tie.
        """
        return export.distance(found[..., 1:], wanted[..., 1:])

    def compare_script(
        self, run: LoadedRun, made: Path, predictor: Callable[[Path], Any]
    ) -> tuple[float | None, str]:
        """Odd texts, and texts of many lengths."""
        texts = sample_texts(run)
        pairs = zip(predictor(made).predict(texts), tag_raw(run, texts).records, strict=True)
        worst = max(tags_apart(found, wanted) for found, wanted in pairs)
        return worst, f"{len(texts)} texts of up to {max(LENGTHS)} words"


def tags_apart(found: dict[str, Any], wanted: dict[str, Any]) -> float:
    """The largest difference of two records' confidences; inf where tokens, tags or spans do."""
    worst = 0.0
    for kind in ("tokens", "spans"):
        ours, theirs = found.get(kind, []), wanted.get(kind, [])
        if len(ours) != len(theirs):
            return float("inf")
        for one, other in zip(ours, theirs, strict=True):
            if {**one, "confidence": 0} != {**other, "confidence": 0}:
                return float("inf")
            worst = max(worst, abs(one["confidence"] - other["confidence"]))
    return worst
