"""Sparse n-gram features of words and characters, weighted by TF-IDF, kept as plain counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from birnn.arrays import Ints
from birnn.data.text.tokenizers import Tokenizer


def word_vectorizer(
    tokenizer: Tokenizer, ngrams: tuple[int, int], **options: Any
) -> TfidfVectorizer:
    """scikit-learn's TF-IDF over the n-grams of ``tokenizer``'s tokens."""
    return TfidfVectorizer(
        tokenizer=tokenizer, token_pattern=None, lowercase=False, ngram_range=ngrams,
        sublinear_tf=True, dtype=np.float32, **options,
    )  # fmt: skip


def char_vectorizer(**options: Any) -> TfidfVectorizer:
    """scikit-learn's TF-IDF over 2 to 5 characters within a word's borders."""
    return TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32, **options
    )


@dataclass(frozen=True)
class NgramTable:
    """The n-grams of a training split and in how many of its texts each one stands."""

    texts: int
    words: dict[str, int]
    chars: dict[str, int]

    def __len__(self) -> int:
        return len(self.words) + len(self.chars)

    @staticmethod
    def fit(texts: Sequence[str], tokenizer: Tokenizer) -> "NgramTable":
        """Count word 1-2-grams and character 2-5-grams (those of two texts or more)."""
        parts: list[dict[str, int]] = []
        for vectorizer in (word_vectorizer(tokenizer, (1, 2)), char_vectorizer(min_df=2)):
            try:
                vectorizer.fit(texts)
            except ValueError:  # scikit-learn's word for a vocabulary without any entry
                parts.append({})
                continue
            # idf = ln((1 + n) / (1 + df)) + 1, solved for the whole number df.
            df = (1 + len(texts)) / np.exp(vectorizer.idf_.astype(np.float64) - 1) - 1
            names = vectorizer.get_feature_names_out()
            parts.append({str(name): round(count) for name, count in zip(names, df, strict=True)})
        return NgramTable(len(texts), *parts)

    def transform(self, texts: Sequence[str], tokenizer: Tokenizer) -> sp.csr_matrix:
        """TF-IDF features ``[N, V]``, each half of a row with a norm of 1 (or 0)."""
        halves = []
        for counts, vectorizer in (
            (self.words, word_vectorizer(tokenizer, (1, 2), vocabulary=list(self.words) or ["\0"])),
            (self.chars, char_vectorizer(vocabulary=list(self.chars) or ["\0"])),
        ):
            df = np.array(list(counts.values()) or [0], dtype=np.float64)
            vectorizer.idf_ = (np.log((1 + self.texts) / (1 + df)) + 1).astype(np.float32)
            half = vectorizer.transform(texts)
            halves.append(half if counts else half[:, :0])
        return sp.hstack(halves, format="csr", dtype=np.float32)


def bag(rows: sp.csr_matrix) -> tuple[Ints, NDArray[np.float32], Ints]:
    """The ids, values and row offsets of sparse rows, as an embedding bag takes them."""
    ids, offsets = rows.indices.astype(np.int64), rows.indptr[:-1].astype(np.int64)
    return ids, rows.data.astype(np.float32), offsets
