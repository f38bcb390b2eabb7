#!/usr/bin/env python3
"""Label texts with model.onnx and model.json, which stand beside this file.

Needs Python 3.11, numpy and onnxruntime. Usage:

    python predict.py "some text" "another one"
    python predict.py --json < texts.txt        one text a line
    python predict.py --model model.int8.onnx "some text"

The answers are those of the trained run: its tokeniser, its look-ups, its graph.
"""

import html
import re
import sys
import zlib
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from birnn.tasks.export.script_common import UNKNOWN_ID, ExportedModel, batches, pad, run_texts

UNKNOWN = "<unk>"
MAX_GRAMS = 64  # of a word
TOKENS = 8192  # of a batch, at most
BASIC = ((r"'", " '  "), (r'"', ""), (r"\.", " . "), (r"<br \/>", " "), (r",", " , "),
         (r"\(", " ( "), (r"\)", " ) "), (r"!", " ! "), (r"\?", " ? "), (r"[;:]", " "))  # fmt: skip


class Predictor(ExportedModel):
    """The model of a folder: ``Predictor(folder).predict(texts)`` → a record a text."""

    def __init__(self, folder: Path, model: str = "model.onnx") -> None:
        super().__init__(folder, model)
        self.names = [part.name for part in self.session.get_outputs()]
        self.pattern = re.compile(self.card["token_pattern"], re.VERBOSE)
        self.words = {word: i for i, word in enumerate(self.card["words"])}
        self.tables, start = [], 0
        for kind in ("words", "chars") if self.card["ngrams"] else ():
            table = self.card["ngrams"][kind]
            counts = np.array(list(table.values()), dtype=np.float64)
            idf = np.log((1 + self.card["ngrams"]["texts"]) / (1 + counts)) + 1
            self.tables.append(({gram: i for i, gram in enumerate(table)}, idf, start))
            start += len(table)

    def tokens(self, text: str) -> list[str]:
        """The words of a text, as the run's tokeniser cuts them."""
        if self.card["tokenizer"] == "basic_english":
            text = text.lower()
            for old, new in BASIC:
                text = re.sub(old, new, text)
        if self.card["tokenizer"] in ("whitespace", "basic_english"):
            return text.split()
        plain = html.unescape(text).lower().replace("\u2019", "'").replace("`", "'")
        return [shorten(token) for token in self.pattern.findall(plain)]

    def ngrams(self, text: str) -> tuple[list[int], list[float]]:
        """TF-IDF of a text's word and character n-grams, each kind with a norm of 1."""
        tokens = self.tokens(text)
        pairs = [f"{a} {b}" for a, b in pairwise(tokens)]
        ids: list[int] = []
        values: list[float] = []
        kinds = (tokens + pairs, char_grams(text.lower()))
        for (table, idf, start), grams in zip(self.tables, kinds, strict=True):
            counts = Counter(table[gram] for gram in grams if gram in table)
            own = sorted(counts)
            row = np.array([(1 + np.log(counts[i])) * idf[i] for i in own])
            ids += [start + i for i in own]
            values += (row / (np.sqrt((row**2).sum()) or 1.0)).tolist()
        return ids, values

    def feeds(self, texts: list[str], rows: list[list[str]]) -> dict[str, Any]:
        """The graph's inputs for texts and their words."""
        words, feeds = self.distinct(rows)
        feeds["word_ids"] = np.array([self.words.get(word, UNKNOWN_ID) for word in words])
        if "gram_ids" in self.card["inputs"]:
            parts = [word_grams(word, self.card["buckets"]) for word in words]
            feeds["gram_ids"], feeds["gram_counts"] = pad(parts)
        if "ngram_ids" in self.card["inputs"]:
            ids, values = zip(*map(self.ngrams, texts), strict=True)
            feeds["ngram_ids"], feeds["ngram_values"] = pad(ids)[0], pad(values, np.float32)[0]
        return feeds

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """``text``, ``label``, ``probabilities`` and, with attention, ``attention`` of each."""
        tokens = [(self.tokens(text) or [UNKNOWN])[: self.card["max_length"]] for text in texts]
        records: list[dict[str, Any]] = []
        for part in batches([len(row) for row in tokens], TOKENS):
            feeds = self.feeds([texts[i] for i in part], [tokens[i] for i in part])
            answers = dict(zip(self.names, self.session.run(self.names, feeds), strict=True))
            for row, i in enumerate(part):
                shares = answers["probabilities"][row].tolist()
                record = {"text": texts[i], "label": self.card["labels"][int(np.argmax(shares))]}
                record["probabilities"] = dict(zip(self.card["labels"], shares, strict=True))
                if "attention" in answers:
                    weights = answers["attention"][row].tolist()
                    record["attention"] = list(zip(tokens[i], weights, strict=False))
                records.append(record)
        return records


def shorten(token: str) -> str:
    """Links become one word; runs of marks are cut."""
    if token.startswith(("http://", "https://", "www.")):
        return "<link>"
    if token.startswith(".."):
        return "..."
    return token[:2] if token[0] in "!?" else token


def word_grams(word: str, buckets: int) -> list[int]:
    """Buckets of a word's 3- to 5-grams, borders marked."""
    marked = f"<{word}>"
    grams = [marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1)]
    chosen = grams[:MAX_GRAMS] or [marked]
    return [zlib.crc32(gram.encode("utf-8", "surrogatepass")) % buckets for gram in chosen]


def char_grams(text: str) -> list[str]:
    """2 to 5 characters within the borders of words, as scikit-learn's ``char_wb`` has them."""
    grams = []
    for word in text.split():
        padded = f" {word} "
        for n in range(2, 6):
            grams += [padded[i : i + n] for i in range(max(len(padded) - n, 0) + 1)]
            if len(padded) <= n:
                break
    return grams


def line(record: dict[str, Any]) -> str:
    """A record's label, its probability and its text."""
    share = record["probabilities"][record["label"]]
    return f"{record['label']}\t{share:.4f}\t{' '.join(record['text'].split())}"


if __name__ == "__main__":
    sys.exit(run_texts("Label texts; without any, lines of the input.", Predictor, line))
