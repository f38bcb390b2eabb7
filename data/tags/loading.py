"""Tagged sentences: files read, schemes told apart, missing splits cut."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from datasets import Dataset, Features, List, Value

from birnn.arrays import Ints
from birnn.data.splits.cutting import SPLITS, complete_splits, cut_covering
from birnn.data.splits.provenance import FoldPart, SplitText, describe
from birnn.data.tags import schemes
from birnn.data.tags.conll import Sentence
from birnn.data.tags.files import Part, read_parts, token_place
from birnn.data.tags.files import TagOptions as TagOptions
from birnn.data.tags.findings import COMMENTS, HEADERS, Findings, some
from birnn.data.tags.folded import cut_sentences
from birnn.data.tags.layout import ColumnLayout
from birnn.data.text.labelled import MAX_CLASSES
from birnn.data.wording import plural
from birnn.errors import DataError

FEATURES = Features({
    "tokens": List(Value("string")), "tags": List(Value("string")), "line": Value("int64"),
    "file": Value("string"), "lines": List(Value("string")), "before": List(Value("string")),
    "text": Value("string"), "offsets": List(List(Value("int64"))),
    "spans": List({"start": Value("int64"), "end": Value("int64"), "label": Value("string")}),
})  # fmt: skip


@dataclass(frozen=True)
class TaggedText(SplitText):
    """Splits with the columns of ``FEATURES``; their tags are in the scheme of train."""

    layouts: dict[str, ColumnLayout]  # of each split's files
    scheme: str
    reading: dict[str, Any]  # of train: which columns, and how its tags are written


def load_tagged(options: TagOptions) -> TaggedText:
    """Load train, validation and test as ``options`` say.

    Raises:
        DataError: no such data or column, tags of several schemes, one tag only, or validation or
            test without a tag that train saw; one line with the file and the line.
    """
    source, parts, notes = read_parts(options.data, options, tagged=True)
    if "train" not in parts:
        there = ", ".join(parts) or "none"
        raise DataError(f"{source} has no sentence to train on; splits found: {there}")
    scheme = scheme_of(parts["train"], options.tag_scheme)
    tables, own_warnings = {}, []
    for name, part in parts.items():
        if name not in SPLITS:
            count = plural(len(part.sentences), "sentence")
            notes.append(f"the split {name!r} ({count}) is not used")
            continue
        tables[name], remarks = as_table(part, scheme, options.tag_scheme)
        notes += [f"{name}: {text}" for text in remarks]
        own_warnings += [f"{name}: {text}" for text in part.findings.warnings]
    check_tags(tables["train"], scheme, source)
    splits, cuts, fold = _cut(tables, scheme, options, source)
    train = set(tag_counts(splits["train"], scheme))
    unseen = {name: unseen_tags(splits[name], train, scheme, "train") for name in SPLITS[1:]}
    layouts = {name: parts[name if name in tables else "train"].layout for name in SPLITS}
    left_out = {
        name: {reason: len(places) for reason, places in part.findings.left_out.items()}
        for name, part in parts.items() if any(part.findings.left_out.values())
    }  # fmt: skip
    provenance, notes, warnings = describe(
        source, {name: joined(table) for name, table in splits.items()}, cuts, left_out, notes,
        "sentence",
        tokens={name: sum(map(len, table["tokens"][:])) for name, table in splits.items()},
        scheme=scheme,
        classes={name: tag_counts(table, scheme) for name, table in splits.items()},
        columns=parts["train"].reading,
    )  # fmt: skip
    own_warnings += [f"{name}: {text}" for name, text in unseen.items() if text]
    warnings = [*own_warnings, *warnings]
    return TaggedText(splits, provenance, notes, warnings, layouts, scheme, parts["train"].reading,
                      fold=fold)  # fmt: skip


def _cut(
    tables: Mapping[str, Dataset], scheme: str, options: TagOptions, source: str
) -> tuple[dict[str, Dataset], list[str], FoldPart | None]:
    """The three splits, what was cut, and the fold, if there is one."""
    if not options.fold:
        return *cut_missing(tables, scheme, options, source), None
    names = [name for name in SPLITS[:2] if name in tables]
    own = [kinds(tags, scheme) for name in names for tags in tables[name]["tags"][:]]
    texts = [text for name in names for text in joined(tables[name])]
    return cut_sentences(tables, texts, own, options)


def load_one_tagged(
    options: TagOptions, name: str, scheme: str
) -> tuple[Dataset, ColumnLayout, list[str]]:
    """One split of the source, nothing cut: the only one there is, or the one called ``name``.

    Its tags are converted to ``scheme``.

    Raises:
        DataError: it has several and none of that name, or tags of another kind.
    """
    source, parts, notes = read_parts(options.data, options, tagged=True)
    part = next(iter(parts.values())) if len(parts) == 1 else parts.get(name)
    if part is None:
        raise DataError(f"{source}: no {name} split; there are: {', '.join(parts)}")
    table, remarks = as_table(part, scheme, options.tag_scheme)
    return table, part.layout, [*notes, *part.findings.warnings, *remarks]


def read_untagged(options: TagOptions) -> tuple[Dataset, ColumnLayout]:
    """The sentences of one file, to be tagged; it may lack the column of tags.

    Raises:
        DataError: it can't be read; names the line.
    """
    return load_untagged(options)[:2]


def load_untagged(options: TagOptions) -> tuple[Dataset, ColumnLayout, list[str]]:
    """As :func:`read_untagged`, with what was noticed."""
    _, parts, _ = read_parts(options.data, options, tagged=False)
    part = parts.get("test") or next(iter(parts.values()))
    bare = [sentence._replace(tags=[]) for sentence in part.sentences]
    found = part.findings
    kept = {reason: places for reason, places in found.left_out.items()
            if reason not in (COMMENTS, HEADERS)}  # fmt: skip  # of them none is lost
    said = Findings(kept, found.read).said()
    return _dataset(replace(part, sentences=bare)), part.layout, [*found.warnings, *said]


def scheme_of(part: Part, asked: str = "auto") -> str:
    """Which scheme the tags of a split follow, unless one is ``asked`` for.

    Raises:
        DataError: several; names a file and line for each of two tags that don't go together.
    """
    if asked == "raw":
        return asked
    rows = [sentence.tags for sentence in part.sentences]
    if clash := schemes.mixture(schemes.first_places(rows)):
        (row, token, tag), (other_row, other_token, other) = clash
        what = f"the tag {other!r} is of another scheme than {tag!r} ({place(part, row, token)})"
        raise DataError(f"{place(part, other_row, other_token)}: {what}; keep to one")
    return schemes.detect(rows) if asked == "auto" else asked


def place(part: Part, sentence: int, token: int) -> str:
    """File and line of a token."""
    file = part.files[sentence]
    return token_place(part.sentences[sentence], part.layout, part.unit, file, token)


def as_table(part: Part, scheme: str, asked: str = "auto") -> tuple[Dataset, list[str]]:
    """A split as a table, its tags in ``scheme``; and what is to be said of them.

    ``asked`` is the scheme that they are to be read by, or ``auto``.

    Raises:
        DataError: its tags spell spans and ``scheme`` is raw, or the other way about.
    """
    own = scheme_of(part, asked)
    notes = part.findings.said()
    plain = not any(tag != "O" for sentence in part.sentences for tag in sentence.tags)
    if own != scheme and (own == "raw") != (scheme == "raw") and not plain:
        kind, other = ("raw tags", "tags that spell spans")[:: 1 if own == "raw" else -1]
        mend = "give all splits the same tags"
        if all(tag.lstrip("-").isdigit() for tag in part.sentences[0].tags):
            mend = "its tags are numbers without names: write the names that train's have"
        raise DataError(f"{place(part, 0, 0)}: {kind}, but train has {other}; {mend}")
    # B- and I- alone can be either: few of them can mislead.
    if own == scheme or {own, scheme} <= {"iob1", "iob2"} or plain:
        own = scheme
    broken = [
        place(part, i, t) for i, sentence in enumerate(part.sentences)
        for t in schemes.violations(sentence.tags, own)
    ]  # fmt: skip
    if broken:
        count = f"{len(broken):,} tags break the scheme {own.upper()}"
        notes.append(f"{count}, read as conlleval reads them: {some(broken)}")
    if own == scheme:
        return _dataset(part), notes
    notes.append(f"tags converted from {own.upper()} to train's {scheme.upper()}")
    changed = [s._replace(tags=schemes.convert(s.tags, own, scheme)) for s in part.sentences]
    return _dataset(replace(part, sentences=changed)), notes


def _dataset(part: Part) -> Dataset:
    import pyarrow as pa

    columns = {name: [getattr(s, name) for s in part.sentences] for name in Sentence._fields}
    columns["file"] = list(part.files)
    types = FEATURES.arrow_schema
    # Arrays: what lists hold would be looked at value by value, which takes several times as long.
    arrays = {name: pa.array(columns[name], types.field(name).type) for name in FEATURES}
    return Dataset.from_dict(arrays, features=FEATURES)


def joined(table: Dataset) -> list[str]:
    """Each sentence as one text, to tell repeated ones by."""
    return [" ".join(tokens) for tokens in table["tokens"][:]]


def kinds(tags: Iterable[str], scheme: str) -> list[str]:
    """The raw tags, or the types of the spans, token by token; ``""`` outside."""
    return list(tags) if scheme == "raw" else [schemes.split_tag(tag)[1] for tag in tags]


def tag_counts(table: Dataset, scheme: str) -> dict[str, int]:
    """How many tokens have each raw tag, or how many spans each type."""
    rows = table["tags"][:]
    if scheme != "raw":
        rows = [[span.label for span in schemes.spans(tags, scheme)] for tags in rows]
    return dict(sorted(Counter(tag for tags in rows for tag in tags).items()))


def check_tags(train: Dataset, scheme: str, source: str) -> None:
    """Refuse a training split in which there is nothing to tell apart.

    Raises:
        DataError: one tag only, or nearly as many raw tags as tokens.
    """
    rows = train["tags"][:]
    there = {tag for tags in rows for tag in tags}
    tokens = sum(map(len, rows))
    different = {kind for tags in rows for kind in kinds(tags, scheme)}
    if len(different) > min(MAX_CLASSES, max(50, tokens // 2)):
        count = f"{len(there):,} different tags of {tokens:,} tokens"
        mend = "that is not a tag; name another column with --tag-column"
        raise DataError(f"{source}: {count}: {mend}")
    if len(there) < 2:
        only = next(iter(there))
        raise DataError(f"{source}: only one tag in train ({only!r}); at least two are needed")


def unseen_tags(table: Dataset, known: Collection[str], scheme: str, whom: str) -> str:
    """What is said of a split's raw tags, or types of spans, that are not ``known``; or ``""``.

    A model can't predict them: they are scored as missed, like any other that it doesn't find.
    ``whom`` says who knows.

    Raises:
        DataError: none of the split's is known, as where they are of another kind; names the place
            of the first.
    """
    counts = Counter(tag_counts(table, scheme))
    unseen = Counter({tag: count for tag, count in counts.items() if tag not in known})
    if not unseen:
        return ""
    words = ", ".join(f"{tag!r} ({count:,})" for tag, count in unseen.most_common(5))
    words += ", …" if len(unseen) > 5 else ""
    if len(unseen) == len(counts):
        first = next(row for row in table if any(kinds(row["tags"], scheme)))
        place = f"{first['file']}, sentence at line {first['line']}"
        there = ", ".join(sorted(known)[:20])
        raise DataError(f"{place}: no tag here is one that {whom} has: {words}; it knows {there}")
    what, lost = ("token", "wrong") if scheme == "raw" else ("span", "missed")
    kind = plural(len(unseen), "tag" if scheme == "raw" else "type")
    spans = plural(unseen.total(), what)
    return f"{spans} of {kind} that {whom} never has, scored as {lost}: {words}"


def cut_missing(
    given: Mapping[str, Dataset], scheme: str, options: TagOptions, source: str
) -> tuple[dict[str, Dataset], list[str]]:
    """As :func:`complete_splits`, by whole distinct sentences, seeded."""
    seed = options.split_seed

    def divide(train: Dataset, name: str, sentences: float) -> tuple[Dataset, Dataset]:
        share = min(sentences / len(train), 0.9)
        try:
            first, second = fair_cut(joined(train), train["tags"][:], scheme, share, seed)
        except DataError:
            few = f"its different sentences are too few ({len(train)} are left) to cut {name} from"
            mend = "blank lines divide sentences; or give files for train, validation and test"
            raise DataError(f"{source}: {few}; {mend}") from None
        return train.select(first), train.select(second)

    return complete_splits(
        given, options.shares, divide,
        lambda count: f"{plural(count, 'sentence')} cut from train (split seed {seed})",
    )  # fmt: skip


def fair_cut(
    texts: Sequence[str], rows: Sequence[Sequence[str]], scheme: str, share: float, seed: int
) -> tuple[Ints, Ints]:
    """Split sentences in two so that the first part has every tag that the second has.

    Args and results are those of :func:`birnn.data.splits.cutting.cut`; ``rows`` are the tags.

    Raises:
        DataError: too few distinct sentences.
    """
    labels = ["marked" if set(tags) - {"O"} else "" for tags in rows]
    return cut_covering(texts, labels, [set(kinds(tags, scheme)) for tags in rows], share, seed)
