"""Tokenisers, vocabulary and the names of pretrained vectors: the one file that loads torchtext."""

import contextlib
import io
import ssl
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from birnn.data.text.social_tokens import social_tokens
from birnn.errors import ConfigError

Tokenizer = Callable[[str], list[str]]

PAD, UNKNOWN = "<pad>", "<unk>"
PAD_ID, UNKNOWN_ID = 0, 1

# What each tokeniser of torchtext needs beyond torchtext.
NEEDS = {
    "spacy": "spacy, and python -m spacy download en_core_web_sm", "moses": "sacremoses",
    "toktok": "nltk", "revtok": "revtok", "subword": "revtok",
}  # fmt: skip


def get_tokenizer(name: str) -> Tokenizer:
    """The tokeniser called ``name``: ``social`` is ours, the others are torchtext's.

    Raises:
        ConfigError: it needs a package that isn't installed.
    """
    if name == "social":
        return social_tokens
    utils = torchtext().data.utils
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            language = "en_core_web_sm" if name == "spacy" else "en"
            given = None if name == "whitespace" else name
            split: Tokenizer = utils.get_tokenizer(given, language)
    except (ImportError, OSError):
        raise ConfigError(f"tokenizer: {name} needs pip install {NEEDS[name]}") from None
    return split


def build_vocabulary(sentences: Iterable[Iterable[str]], min_frequency: int) -> list[str]:
    """Words of train by falling frequency (ties by alphabet), after ``<pad>`` and ``<unk>``.

    Words rarer than ``min_frequency`` are left out.
    """
    counts = Counter(token for tokens in sentences for token in tokens)
    built = torchtext().vocab.Vocab(counts, min_freq=min_frequency, specials=[PAD, UNKNOWN])
    return list(built.itos)


def vector_source(name: str) -> tuple[str, str] | None:
    """Where torchtext's vectors ``name`` come from: the address and the file's name within it.

    None if torchtext knows no such name, or the vectors aren't of words.
    """
    vocab = torchtext().vocab
    known = vocab.pretrained_aliases.get(name)
    if known is None:
        return None
    if known.func is vocab.GloVe:
        size, dim = known.keywords["name"], known.keywords["dim"]
        return vocab.GloVe.url[size], f"glove.{size}.{dim}d.txt"
    if known.func is vocab.FastText:
        address = vocab.FastText.url_base.format(known.keywords["language"])
        return address, address.rsplit("/", 1)[-1]
    return None


def vector_names() -> Iterator[str]:
    """The names that :func:`vector_source` knows."""
    return (name for name in torchtext().vocab.pretrained_aliases if vector_source(name))


def torchtext() -> Any:
    """The library, loaded when it is first asked for: what predicts with a run needs none."""
    secure = ssl._create_default_https_context
    import torchtext.data.utils
    import torchtext.vocab

    # torchtext 0.6 sets an unverified context when its own loader runs; ours never runs it.
    assert ssl._create_default_https_context is secure
    return torchtext
