#!/usr/bin/env python3
"""Label texts with model.onnx and model.json, which stand beside this file.

Needs Python 3.11, numpy and onnxruntime. Usage:

    python predict.py "some text" "another one"
    python predict.py --json < texts.txt        one text a line
    python predict.py --model model.int8.onnx "some text"

The answers are those of the trained run: its tokeniser, its look-ups, its graph.
"""

import argparse
import html
import json
import re
import sys
import zlib
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

UNKNOWN, UNKNOWN_ID = "<unk>", 1
MAX_GRAMS = 64  # of a word
ITEMS, TOKENS = 64, 8192  # of a batch, at most
BASIC = ((r"'", " '  "), (r'"', ""), (r"\.", " . "), (r"<br \/>", " "), (r",", " , "),
         (r"\(", " ( "), (r"\)", " ) "), (r"!", " ! "), (r"\?", " ? "), (r"[;:]", " "))  # fmt: skip


class Predictor:
    """The model of a folder: ``Predictor(folder).predict(texts)`` → a record a text."""

    def __init__(self, folder: Path, model: str = "model.onnx") -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        path = str(Path(folder) / model)
        self.session = onnxruntime.InferenceSession(path, options, providers=providers)
        self.card = json.loads((Path(folder) / "model.json").read_text(encoding="utf-8"))
        self.names = [part.name for part in self.session.get_outputs()]
        self.pattern = re.compile(self.card["token_pattern"], re.VERBOSE)
        self.words = {word: i for i, word in enumerate(self.card["words"])}
        self.vectors = {word: i for i, word in enumerate(self.card["vector_words"])}
        self.tables = []
        start = 0
        for kind in ("words", "chars") if self.card["ngrams"] else ():
            table = self.card["ngrams"][kind]
            counts = np.array(list(table.values()), dtype=np.float64)
            idf = np.log((1 + self.card["ngrams"]["texts"]) / (1 + counts)) + 1
            self.tables.append(({gram: i for i, gram in enumerate(table)}, idf, start))
            start += len(table)

    def tokens(self, text: str) -> list[str]:
        """The words of a text, as the run's tokeniser cuts them."""
        if self.card["tokenizer"] == "whitespace":
            return text.split()
        if self.card["tokenizer"] == "basic_english":
            text = text.lower()
            for old, new in BASIC:
                text = re.sub(old, new, text)
            return text.split()
        plain = html.unescape(text).lower().replace("\u2019", "'").replace("`", "'")
        return [shorten(token) for token in self.pattern.findall(plain)]

    def vector_rows(self, token: str) -> list[int]:
        """Rows of pretrained vectors whose mean stands for a word."""
        bare = token.lstrip("#@")
        for candidate in (token, token.lower(), bare, bare.lower()):
            if candidate in self.vectors:
                return [self.vectors[candidate]]
        parts = re.findall(r"[^\W_]+", token.lower()) if len(token) > 1 else []
        return [self.vectors[part] for part in parts if part in self.vectors]

    def ngrams(self, text: str) -> tuple[list[int], list[float]]:
        """TF-IDF of a text's word and character n-grams, each kind with a norm of 1."""
        tokens = self.tokens(text)
        pairs = [f"{a} {b}" for a, b in pairwise(tokens)]
        ids: list[int] = []
        values: list[float] = []
        for (table, idf, start), grams in zip(
            self.tables, (tokens + pairs, char_grams(text.lower())), strict=True
        ):
            counts = Counter(table[gram] for gram in grams if gram in table)
            own = sorted(counts)
            row = np.array([(1 + np.log(counts[i])) * idf[i] for i in own])
            ids += [start + i for i in own]
            values += (row / (np.sqrt((row**2).sum()) or 1.0)).tolist()
        return ids, values

    def feeds(self, texts: list[str], rows: list[list[str]]) -> dict[str, Any]:
        """The graph's inputs for texts and their words."""
        distinct: dict[str, int] = {}
        types = [[distinct.setdefault(token, len(distinct)) for token in row] for row in rows]
        words = list(distinct)
        feeds = {"types": pad(types)[0], "lengths": np.array([len(row) for row in rows])}
        feeds["word_ids"] = np.array([self.words.get(word, UNKNOWN_ID) for word in words])
        if "vector_rows" in self.card["inputs"]:
            parts = [self.vector_rows(word) for word in words]
            feeds["vector_rows"], feeds["vector_counts"] = pad(parts)
        if "gram_ids" in self.card["inputs"]:
            parts = [word_grams(word, self.card["buckets"]) for word in words]
            feeds["gram_ids"], feeds["gram_counts"] = pad(parts)
        if "ngram_ids" in self.card["inputs"]:
            pairs = [self.ngrams(text) for text in texts]
            feeds["ngram_ids"] = pad([ids for ids, _ in pairs])[0]
            feeds["ngram_values"] = pad([values for _, values in pairs], np.float32)[0]
        return feeds

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """``text``, ``label``, ``probabilities`` and, with attention, ``attention`` of each."""
        tokens = [(self.tokens(text) or [UNKNOWN])[: self.card["max_length"]] for text in texts]
        records: list[dict[str, Any]] = []
        for part in batches([len(row) for row in tokens]):
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


def pad(rows: list[list[Any]], kind: Any = np.int64) -> tuple[Any, Any]:
    """Rows as one array, 0 beyond their ends, and their lengths."""
    counts = np.array([len(row) for row in rows], dtype=np.int64)
    found = np.zeros((len(rows), max(int(counts.max()), 1)), dtype=kind)
    for row, values in zip(found, rows, strict=True):
        row[: len(values)] = values
    return found, counts


def batches(lengths: list[int]) -> list[list[int]]:
    """Numbers of items that are predicted together, in order."""
    found: list[list[int]] = []
    longest = 0
    for item, length in enumerate(lengths):
        longest = max(longest, length)
        full = not found or len(found[-1]) >= ITEMS
        if full or longest * (len(found[-1]) + 1) > TOKENS:
            found.append([])
            longest = length
        found[-1].append(item)
    return found


def main() -> int:
    """Read texts, print a line for each."""
    parser = argparse.ArgumentParser(description="Label texts; without any, lines of the input.")
    parser.add_argument("texts", nargs="*")
    parser.add_argument("--json", action="store_true", help="print records as JSON lines")
    parser.add_argument("--model", default="model.onnx", help="a graph beside this file")
    given = parser.parse_args()
    try:
        texts = given.texts or sys.stdin.buffer.read().decode("utf-8-sig").split("\n")
        if not given.texts:  # one a line; what ends the last line begins no other
            texts = [line.removesuffix("\r") for line in texts[: -1 if not texts[-1] else None]]
        texts = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        if not texts:
            raise ValueError("nothing to predict: give texts in quotes, or a pipe")
        records = Predictor(Path(__file__).resolve().parent, given.model).predict(texts)
    except Exception as error:
        print(f"predict: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    for record in records:
        share = record["probabilities"][record["label"]]
        text = " ".join(record["text"].split())
        plain = f"{record['label']}\t{share:.4f}\t{text}"
        print(json.dumps(record, ensure_ascii=False) if given.json else plain)
    return 0


if __name__ == "__main__":
    sys.exit(main())
