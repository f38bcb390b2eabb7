#!/usr/bin/env python3
"""Tag texts with model.onnx and model.json, which stand beside this file.

Needs Python 3.11, numpy and onnxruntime. Usage:

    python predict.py "some text" "another one"
    python predict.py --json < texts.txt        one text a line
    python predict.py --model model.int8.onnx "some text"

The graph scores each tag of each token; here the best legal sequence is found, and how sure the
chain is of it. The answers are those of the trained run.
"""

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from birnn.tasks.export.script_common import UNKNOWN_ID, ExportedModel, batches, pad, run_texts

TOKENS = 32768  # of a batch, at most
FARTHEST = 300.0  # from the best, in logs: within, probabilities do not underflow
# What marks the first token of a span, one inside, the last, and an only one.
SPELLING = {"iob1": "IIII", "iob2": "BIIB", "iobes": "BIES", "bilou": "BILU"}


class Predictor(ExportedModel):
    """The model of a folder: ``Predictor(folder).predict(texts)`` → a record a text."""

    def __init__(self, folder: Path, model: str = "model.onnx") -> None:
        super().__init__(folder, model)
        self.token = re.compile(self.card["token_pattern"])
        self.clitic = re.compile(self.card["clitic_pattern"], re.IGNORECASE)
        chain = self.card["chain"]
        self.moves, self.start, self.end = (
            np.where(np.isnan(part), -np.inf, part)
            for part in (np.array(chain[k], np.float64) for k in ("transitions", "start", "end"))
        )
        self.ids = {
            name: {row: i for i, row in enumerate(self.card[name])}
            for name in ("words", "characters", "affixes")
        }

    def places(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each token."""
        places = []
        for match in self.token.finditer(text):
            start, end = match.span()
            ends = [end]
            if match.lastgroup == "word" and ("'" in match[0] or "\u2019" in match[0]):
                word, ends = match[0], [len(match[0])]
                while part := self.clitic.search(word, max(0, ends[-1] - 4), ends[-1]):
                    ends.append(part.start())
                ends = [start + place for place in reversed(ends)]
            places += list(zip([start, *ends[:-1]], ends, strict=True))
        return places

    def feeds(self, sentences: list[list[str]]) -> dict[str, Any]:
        """The graph's inputs for tokens."""
        tokens, feeds = self.distinct(sentences)
        words, letters, affixes = (self.ids[name] for name in ("words", "characters", "affixes"))
        feeds["word_ids"] = np.array([words.get(token.lower(), UNKNOWN_ID) for token in tokens])
        if "characters" in self.card["inputs"]:
            read = [token if len(token) <= 32 else token[:16] + token[-16:] for token in tokens]
            rows = [[letters.get(c, UNKNOWN_ID) for c in token] for token in read]
            feeds["characters"], feeds["character_lengths"] = pad(rows)
        if "affixes" in self.card["inputs"]:
            rows = [[affixes.get(a, UNKNOWN_ID) for a in affixes_of(token)] for token in tokens]
            feeds["affixes"] = np.array(rows, dtype=np.int64)
        if "case" in self.card["inputs"]:
            feeds["case"] = np.array([case_of(token) for token in tokens], dtype=np.float32)
        return feeds

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """``text``, ``tokens`` and, where the tags spell them, ``spans`` of each."""
        places = [self.places(text) for text in texts]
        records = [self.record(text, [], [], [], []) for text in texts]
        full = [i for i in range(len(texts)) if places[i]]
        for part in batches([len(places[i]) for i in full], TOKENS):
            chosen = [full[i] for i in part]
            tokens = [[texts[i][a:b] for a, b in places[i]] for i in chosen]
            feeds = self.feeds(tokens)
            scores = self.session.run(["scores"], feeds)[0].astype(np.float64)
            tags = self.best(scores + np.array(self.card["bonus"]), feeds["lengths"])
            sure, given = self.confidence(scores, tags, feeds["lengths"])
            for row, i in enumerate(chosen):
                n = len(places[i])
                names = [self.card["labels"][tag] for tag in tags[row, :n]]
                records[i] = self.record(texts[i], places[i], names, sure[row], given[row])
        return records

    def best(self, scores: Any, lengths: Any) -> Any:
        """The best legal tags ``[B, T]`` of ``scores [B, T, K]`` (Viterbi 1967)."""
        scores = np.clip(np.nan_to_num(scores, nan=-1e30), -1e30, 1e30)
        items, steps, _ = scores.shape
        back, state = np.zeros(scores.shape, dtype=np.int64), self.start + scores[:, 0]
        ends = [state]
        for t in range(1, steps):
            ways = state[:, :, None] + self.moves
            back[:, t] = ways.argmax(1)
            state = ways.max(1) + scores[:, t]
            ends.append(state)
        rows, tags = np.arange(items), np.zeros((items, steps), dtype=np.int64)
        tag = (np.stack(ends, 1)[rows, lengths - 1] + self.end).argmax(1)
        for t in range(steps - 1, -1, -1):
            inside = t < lengths
            tags[inside, t] = tag[inside]
            tag = np.where(inside, back[rows, t, tag], tag)
        return tags

    def confidence(self, scores: Any, tags: Any, lengths: Any) -> tuple[Any, Any]:
        """The probability of each tag, and given the tag before it, ``[B, T]`` each."""
        rows, steps = np.arange(len(scores)), scores.shape[1]
        left, right = np.zeros_like(scores), np.zeros_like(scores)
        left[:, 0] = self.start + scores[:, 0]
        for t in range(1, steps):
            left[:, t] = along(left[:, t - 1], self.moves) + scores[:, t]
        right[:, steps - 1] = self.end
        for t in range(steps - 2, -1, -1):
            after = along(right[:, t + 1] + scores[:, t + 1], self.moves.T)
            right[:, t] = np.where((t + 1 < lengths)[:, None], after, self.end)
        both = left + right
        sure = both[rows[:, None], np.arange(steps), tags] - total(both)
        given = sure.copy()
        for t in range(1, steps):
            before, now = tags[:, t - 1], tags[:, t]
            onward = self.moves[before, now] + scores[rows, t, now] + right[rows, t, now]
            given[:, t] = onward - right[rows, t - 1, before]
        return np.exp(np.minimum(sure, 0)), np.exp(np.minimum(given, 0))

    def record(self, text: str, places: Any, names: list[str], sure: Any, given: Any) -> Any:
        """A text's tokens and spans, the tags spelled in the scheme of the run's data."""
        scheme = self.card["scheme"]
        spelled = spans(names) if scheme != "raw" else []
        tags = spell(spelled, len(names), scheme) if scheme != "raw" else names
        tokens = [
            {"start": a, "end": b, "text": text[a:b], "tag": tag, "confidence": float(p)}
            for (a, b), tag, p in zip(places, tags, sure, strict=False)
        ]
        record: dict[str, Any] = {"text": text, "tokens": tokens}
        if scheme != "raw":
            record["spans"] = []
        for first, last, label in spelled:
            a, b = places[first][0], places[last - 1][1]
            share = float(sure[first] * np.prod(given[first + 1 : last]))
            span = {"start": a, "end": b, "label": label, "text": text[a:b], "confidence": share}
            record["spans"].append(span)
        return record


def total(x: Any) -> Any:
    """``log Σ exp`` over the last axis."""
    top = np.maximum(x.max(-1, keepdims=True), -1e300)
    with np.errstate(divide="ignore"):
        return (top + np.log(np.exp(x - top).sum(-1, keepdims=True)))[..., 0]


def along(state: Any, moves: Any) -> Any:
    """``log Σ_i exp(state[B, i] + moves[i, j])``; a matrix product where nothing underflows."""
    top, peak = np.maximum(state.max(1, keepdims=True), -1e300), moves[np.isfinite(moves)].max()
    near = np.min(state - top, initial=0.0, where=np.isfinite(state)) > -FARTHEST
    if near and moves[np.isfinite(moves)].min() > peak - FARTHEST:
        product = np.exp(state - top) @ np.exp(moves - peak)
        with np.errstate(divide="ignore"):
            return np.log(product) + top + peak
    return total((state[:, :, None] + moves).transpose(0, 2, 1))


def spans(tags: list[str]) -> list[tuple[int, int, str]]:
    """First token, end and label of each span of IOBES tags, whatever breaks them read kindly."""
    read: list[tuple[int, int, str]] = []
    start, label, before = -1, "", "O"
    for i, tag in enumerate([*tags, "O"]):
        prefix, kind = (tag[0], tag[2:]) if re.match(r"[BIES]-.", tag, re.DOTALL) else ("O", "")
        opens = prefix != "O" and (prefix in "BS" or before in "OES" or kind != label)
        if start >= 0 and (prefix == "O" or opens):
            read.append((start, i, label))
            start = -1
        start = i if opens else start
        before, label = prefix, kind
    return read


def spell(spans: list[tuple[int, int, str]], length: int, scheme: str) -> list[str]:
    """The tags of ``length`` tokens that spell the spans."""
    tags, previous = ["O"] * length, (0, 0, "")
    for start, end, label in spans:
        first, inside, last, only = tuple(SPELLING[scheme])
        marks = only if end - start == 1 else first + inside * (end - start - 2) + last
        if scheme == "iob1" and previous[1:] == (start, label):
            marks = "B" + marks[1:]
        tags[start:end] = [f"{mark}-{label}" for mark in marks]
        previous = (start, end, label)
    return tags


def affixes_of(token: str) -> list[str]:
    """Prefixes of 1 to 3 and suffixes of 1 to 4 characters."""
    plain = token.lower()
    return [f"{plain[:n]}-" for n in (1, 2, 3)] + [f"-{plain[-n:]}" for n in (1, 2, 3, 4)]


def case_of(token: str) -> tuple[bool, ...]:
    """How a token is written."""
    inner = token[1:]
    return (
        token.islower(), token.isupper(), token.istitle(), any(c.isupper() for c in inner),
        any(c.isdigit() for c in token), any(c.isalpha() for c in token), "-" in inner,
        not any(c.isalnum() for c in token), token[0] in "#@", token.isdigit(),
    )  # fmt: skip


def lines(record: dict[str, Any]) -> str:
    """A line a token: it, its tag, and how sure that is; an empty one behind them."""
    tokens = record["tokens"]
    return "".join(f"{t['text']}\t{t['tag']}\t{t['confidence']:.4f}\n" for t in tokens)


if __name__ == "__main__":
    sys.exit(run_texts("Tag texts; without any, lines of the input.", Predictor, lines))
