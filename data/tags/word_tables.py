"""Tables with a row for each word, and a column that says which sentence it is of."""

from typing import Any

from birnn.data.tables import columns
from birnn.data.tags.layout import sentence_column
from birnn.data.wording import plural

Rows = list[dict[str, Any]]


def grouped(
    rows: Rows, where: str, token: str = "", tag: str = "", *, tagged: bool = True
) -> tuple[Rows, str]:
    """Rows of words as rows of sentences, and what is said of it; other tables as they are.

    A sentence goes on where its number is missing, as where it stands at the first word alone.

    Args:
        token: column of the words; empty: a usual name.
        tag: likewise, of their tags; it may be missing where ``tagged`` is False.
    """
    names = list(rows[0]) if rows else []
    at = sentence_column(names)
    if at < 0:
        return rows, ""
    sentence = names[at]
    others = [name for name in names if name != sentence]
    word = token or next(iter(columns.usual_columns(columns.TOKEN_NAMES, others)), "")
    tags = tag or next(iter(columns.usual_columns(columns.TAG_NAMES, others)), "")
    single = all(
        not isinstance(row.get(name), (list, dict)) for row in rows for name in (word, tags)
    )
    if word not in names or (tagged and tags not in names) or not single:
        return rows, ""
    found: Rows = []
    number: Any = None
    for row in rows:
        own = row.get(sentence)
        if not found or (_filled(own) and own != number):
            found.append({word: [], **({tags: []} if tags else {})})
        number = own if _filled(own) else number
        found[-1][word].append(_text(row.get(word)))
        if tags:
            found[-1][tags].append(_text(row.get(tags)))
    count = f"{plural(len(rows), 'row')} of words in {plural(len(found), 'sentence')}"
    return found, f"{count}, by the column {sentence!r}"


def _filled(value: Any) -> bool:
    return value is not None and value == value and str(value).strip() != ""


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)
