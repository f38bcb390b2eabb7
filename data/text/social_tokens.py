"""A tokeniser for sentences as people type them: reviews, tweets, Treebank text."""

import html
import re

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
    plain = html.unescape(text).lower().replace("\u2019", "'").replace("`", "'")
    return [_shorten(token) for token in TOKEN.findall(plain)]


def _shorten(token: str) -> str:
    if token.startswith(("http://", "https://", "www.")):
        return LINK
    if token.startswith(".."):
        return "..."
    return token[:2] if token[0] in "!?" else token
