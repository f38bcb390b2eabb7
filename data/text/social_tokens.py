"""A tokeniser for sentences as people type them: reviews, tweets, Treebank text."""

import html
import re
from collections.abc import Iterator

LINK = "<link>"

TOKEN = re.compile(
    r"""
      https?://\S+ | www\.\S+                    # links
    | [@\#]\w+                                   # handles and hashtags
    | [<>]?[:;=][-o'^]?[)(\[\]dp/\\|*3{}]+ | <3  # emoticons
    | -[lr]rb-                                   # Treebank brackets
    | [^\W\d_]+(?=n't\b) | n't\b                 # do n't, as the Treebank and GloVe split it
    | '(?:s|m|re|ve|ll|d)\b                      # it 's
    | [^\W_]+(?:(?:[-.]|'(?!(?:s|m|re|ve|ll|d|t)\b))[^\W_]+)*  # words, with inner marks
    | \.{2,} | !+ | \?+                          # runs of one mark
    | \S                                         # anything else, a character at a time
    """,
    re.VERBOSE,
)


def social_tokens(text: str) -> list[str]:
    """Lower-case tokens; links become one token, long runs of marks are shortened.

    >>> social_tokens("It's GREAT!!! don't miss http://t.co/x :)")
    ['it', "'s", 'great', '!!', 'do', "n't", 'miss', '<link>', ':)']
    """
    plain = _straight(html.unescape(text).lower())
    return [_shorten(token) for token in TOKEN.findall(plain)]


def social_matches(plain: str) -> Iterator[tuple[str, int, int]]:
    """The tokens of a text that is unescaped and in lower case, with where each stands in it."""
    for match in TOKEN.finditer(_straight(plain)):
        yield _shorten(match[0]), *match.span()


def _straight(text: str) -> str:
    """One kind of apostrophe; as long as it was."""
    return text.replace("\u2019", "'").replace("`", "'")


def _shorten(token: str) -> str:
    if token.startswith(("http://", "https://", "www.")):
        return LINK
    if token.startswith(".."):
        return "..."
    return token[:2] if token[0] in "!?" else token
