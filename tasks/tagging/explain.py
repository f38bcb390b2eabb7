"""Which words moved a tag or a span."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor

from birnn.data.tags.batches import TagSplit
from birnn.data.tags.schemes import spans, split_tag
from birnn.data.text.offsets import token_offsets
from birnn.errors import ConfigError
from birnn.nn.attribution import Attributions, embedded, integrated_gradients
from birnn.nn.batch import Batch
from birnn.nn.crf import log_odds
from birnn.nn.model import SequenceModel, device_of
from birnn.nn.precision import products
from birnn.tasks.core.explanation import Cause, Explanation, Wish, chosen
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.serving.explaining import TextExplainer
from birnn.tasks.serving.python_inputs import TextColumns, read_sentences
from birnn.tasks.tagging.info import TagInfo
from birnn.tasks.tagging.model import Emissions, TaggingModel, TaggingOutputs, best_tags
from birnn.tasks.tagging.serve import shown_labels

NOTHING = "as many unknown words"


@dataclass(frozen=True)
class Target:
    """What is explained: tokens from ``start`` on have tags of which each is one of a set."""

    name: str
    start: int
    tags: Tensor  # [n, K] bool


class TaggingExplainer(TextExplainer):
    """Integrated gradients of how sure the chain is of a span, or of one token's tag.

    The score is the log-odds of the posterior that ``predict`` shows as confidence: that all
    tokens of a span have its tags, or that a token has a tag or stands in a span of a type. Both
    directions of the networks and the chain are in it, so that any word can move any span.
    """

    wishes: ClassVar[tuple[str, ...]] = ("label", "token")

    def __init__(self, run: LoadedRun, *options: Any) -> None:
        super().__init__(run, *options)
        self.column = run.task.config.data.token_column

    def of_text(self, text: str, wish: Wish) -> Iterator[Explanation]:
        """Explain the spans of a text, or one token; of raw tags all tokens."""
        places = token_offsets(text)
        yield from self._of_tokens([text[a:b] for a, b in places], wish, text, places)

    def given(self, data: Any, column: str, wish: Wish) -> Iterator[Explanation]:
        """Of lists of tokens too, which have no text."""
        rows = read_sentences(data, column or self.column)
        if isinstance(rows, TextColumns):
            for text in rows.texts:
                yield from self.of_text(text, wish)
        else:
            for tokens in rows.tokens:
                yield from self._of_tokens(tokens, wish)

    def _of_tokens(
        self, tokens: list[str], wish: Wish, text: str | None = None,
        places: Sequence[tuple[int, int]] = (),
    ) -> Iterator[Explanation]:  # fmt: skip
        model, info = self.run.model, self.run.info
        assert isinstance(model, TaggingModel)
        check_label(wish, self.run)
        if not tokens:
            self.notes.append("an empty text has no token to explain")
            return
        split = TagSplit.of([tokens], info.lexicon)
        batch = split.batch(np.array([0])).to(device_of(model))
        with torch.no_grad(), products():
            outputs: TaggingOutputs = model(batch)
        targets = find_targets(outputs, tokens, wish, self.run)
        if not targets:
            which = f"no span of {wish.label}" if wish.label else "no span"
            self.notes.append(f"{which} in {' '.join(tokens)[:60]!r}: name a --token to explain")
        for target in targets:
            found = attribute_tags(model, batch, outputs, target)
            moved = [part.sum(-1) for part in found.parts]
            weights = torch.stack(moved).sum(0).tolist()
            causes = tuple(
                Cause(token, weight, *(places[i] if places else (None, None)))
                for i, (token, weight) in enumerate(zip(tokens, weights, strict=True))
            )
            last = target.start + len(target.tags) - 1
            start, end = (places[target.start][0], places[last][1]) if places else (None, None)
            yield Explanation(
                self.run.task.name, target.name, _words(target, tokens, info), "log-odds",
                found.value, found.baseline, NOTHING, causes, found.gap, found.points, text=text,
                start=start, end=end,
                probability=float(torch.tensor(found.value).double().sigmoid()),
            )  # fmt: skip


def check_label(wish: Wish, run: LoadedRun) -> None:
    """Refuse a type of span, or a tag, that the run doesn't know.

    Raises:
        ConfigError: so it is; the message lists what it knows.
    """
    if wish.label:
        outside = [] if run.info.scheme == "raw" or not wish.token else ["O"]
        chosen(wish.label, [*shown_labels(run), *outside], "class", "this run")


def find_targets(
    outputs: TaggingOutputs, tokens: Sequence[str], wish: Wish, run: LoadedRun
) -> list[Target]:
    """What of a sentence is to be explained.

    Raises:
        ConfigError: it has no such token.
    """
    info: TagInfo = run.info
    path = best_tags(outputs)[0].tolist()
    tags = [info.labels[tag] for tag in path]
    rows = torch.eye(len(info.labels), dtype=torch.bool, device=outputs.scores.device)
    if wish.token:
        number = _token(wish.token, tokens)
        return [_of_token(number, wish.label or tags[number], wish.label, info, rows)]
    if info.scheme == "raw":
        numbers = [i for i, tag in enumerate(tags) if not wish.label or tag == wish.label]
        return [_of_token(i, tags[i], "", info, rows) for i in numbers]
    return [
        Target(span.label, span.start, rows[path[span.start : span.end]])
        for span in spans(tags, info.inner)
        if not wish.label or span.label == wish.label
    ]


def _token(name: str, tokens: Sequence[str]) -> int:
    if name in tokens:
        return list(tokens).index(name)
    if name.isdecimal() and 1 <= int(name) <= len(tokens):
        return int(name) - 1
    known = ", ".join(f"{i} {token}" for i, token in enumerate(tokens[:12], 1))
    more = ", …" if len(tokens) > 12 else ""
    raise ConfigError(f"token: the text has no {name!r}; its tokens are: {known}{more}")


def _of_token(number: int, tag: str, asked: str, info: TagInfo, rows: Tensor) -> Target:
    """A token that has a raw tag, or stands in a span of the tag's type, or in none."""
    if info.scheme == "raw":
        return Target(tag, number, rows[info.labels.index(tag)][None])
    kind = ("" if asked == "O" else asked) or split_tag(tag)[1]
    same = [i for i, label in enumerate(info.labels) if split_tag(label)[1] == kind]
    return Target(kind or "O", number, rows[same].any(0)[None])


def _words(target: Target, tokens: Sequence[str], info: TagInfo) -> str:
    """What the score is."""
    words = " ".join(tokens[target.start : target.start + len(target.tags)])
    if info.scheme == "raw":
        return f"log-odds that {words} is {target.name}"
    if target.name == "O":
        return f"log-odds that {words} is in no span"
    return f"log-odds that {words} is {target.name}"


def attribute_tags(
    model: TaggingModel, batch: Batch, outputs: TaggingOutputs, target: Target
) -> Attributions:
    """What the embedded words of one sentence add to the log-odds of its tags.

    Of each network the words move from ``<unk>`` with no vector, letters or affixes to what they
    are. The chain is computed in float64: its sums have many terms.
    """
    members = [cast(SequenceModel, member) for member in model.members]
    with torch.no_grad():
        known = model.with_vectors(batch)

    def score(points: list[Tensor]) -> Tensor:
        alike = Batch({}, batch.lengths.expand(len(points[0])))
        said = [
            cast(Emissions, member.read(x, alike)).scores
            for member, x in zip(members, points, strict=True)
        ]
        scores = model.mean(said).double()
        return log_odds(scores, alike.lengths, outputs.chain, target.start, target.tags)

    return integrated_gradients(score, *embedded(members, known))
