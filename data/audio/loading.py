"""Recordings read into frames, what can't be used left out, and missing splits cut by speaker."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from birnn.arrays import Array, Ints
from birnn.data.audio.batches import SoundSplit
from birnn.data.audio.features import FeatureOptions, log_mel
from birnn.data.audio.listing import LISTED
from birnn.data.audio.recordings import Listing, Recording, SoundOptions
from birnn.data.audio.waves import CLIPPED, rate_of
from birnn.data.splits import folds
from birnn.data.splits.cutting import SPLITS, complete_splits
from birnn.data.splits.provenance import FoldPart
from birnn.data.wording import agree, plural
from birnn.errors import DataError
from birnn.progress import tell

HELD = 1 << 30  # bytes of frames that are held in memory; more lie in a file
MOST_RATE = 16_000  # samples a second: more is rarely of use for speech
LOOKED_AT = 50  # files by which the usual rate is told


@dataclass(frozen=True)
class Findings:
    """What is odd about the recordings, by name."""

    broken: list[str] = field(default_factory=list)  # why, with the name
    clipped: list[str] = field(default_factory=list)
    short: list[str] = field(default_factory=list)  # of less than a frame
    twins: list[str] = field(default_factory=list)  # to the last sample like an earlier one
    torn: list[str] = field(default_factory=list)  # of these, with another text
    heard: dict[bytes, Recording] = field(default_factory=dict)  # by the digest of the sound

    def notes(self) -> list[str]:
        """What is to be said of them."""
        notes = []
        for words, rows in (
            ("left out: {} that can't be used: {}", self.broken),
            ("{} clipped (many samples at full scale): {}", self.clipped),
            ("{} shorter than a frame, filled up with silence: {}", self.short),
            ("{} to the last sample like an earlier one, kept: {}", self.twins),
            ("{} like an earlier one in sound, with another text, kept: {}", self.torn),
        ):
            if rows:
                notes.append(words.format(plural(len(rows), "recording"), some_names(rows)))
        return notes

    def hear(self, row: Recording, samples: Array, frame: int) -> None:
        """Note what is odd about a recording of ``samples [S]``."""
        if len(samples) < frame:
            self.short.append(row.name)
        digest = blake2b(np.ascontiguousarray(samples).data, digest_size=16).digest()
        before = self.heard.setdefault(digest, row)
        if before.text != row.text:
            self.torn.append(f"{row.name} ({row.text!r}; {before.name} {before.text!r})")
        elif before is not row:
            self.twins.append(row.name)


def some_names(names: Sequence[str]) -> str:
    """The first few of a list, and how many more there are."""
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return "; ".join(names[:LISTED]) + more


class Frames:
    """Frames that grow a recording at a time, in memory or, beyond a bound, in a file."""

    def __init__(self, bands: int, held: int = HELD) -> None:
        self.bands, self.held = bands, held
        self.parts: list[Array] = []
        self.count = 0
        self.file: Any = None

    def add(self, frames: Array) -> None:
        """Put ``[T, M]`` behind what is there."""
        self.parts.append(frames)
        self.count += len(frames)
        if self.count * self.bands * 4 > self.held:
            self.file = self.file or TemporaryFile(prefix="birnn-frames-")  # noqa: SIM115
            for part in self.parts:
                self.file.write(np.ascontiguousarray(part, dtype=np.float32).data)
            self.parts = []

    def whole(self) -> Array:
        """``[sum T, M]`` float32."""
        if self.file is None:
            return (
                np.concatenate(self.parts) if self.parts else np.zeros((0, self.bands), np.float32)
            )
        with self.file:  # the map stays
            self.file.flush()
            return np.memmap(self.file, np.float32, "r", shape=(self.count, self.bands))


def usual_rate(rows: Sequence[Recording]) -> int:
    """The most frequent sampling rate of evenly chosen recordings, at most 16,000."""
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), LOOKED_AT)).astype(int))
    rates = Counter[int]()
    for row in (rows[int(i)] for i in chosen):
        try:
            rates[row.rate or rate_of(row.path)] += 1  # type: ignore[arg-type]
        except DataError:
            continue
    return min(max(rates, key=lambda rate: rates[rate]), MOST_RATE) if rates else MOST_RATE


def as_split(
    rows: Sequence[Recording], options: FeatureOptions, longest: float, findings: Findings
) -> SoundSplit:
    """Read recordings; those that can't be used are left out and named in ``findings``."""
    frames, kept, lengths = Frames(options.mels), list[Recording](), list[int]()
    for number, row in enumerate(rows):
        if not number % 100:
            tell("reading recordings", number / len(rows))
        try:
            wave = row.wave(options.rate, longest)
        except DataError as error:
            reason = str(error).removeprefix(str(row.path or row.name))
            findings.broken.append(f"{row.name}: {reason.lstrip(': ')}")
            continue
        findings.hear(row, wave.samples, options.window_size)
        if wave.clipped > CLIPPED:
            findings.clipped.append(row.name)
        features = log_mel(wave.samples, options)
        frames.add(features)
        lengths.append(len(features))
        kept.append(replace(row, samples=None))
    return SoundSplit(kept, frames.whole(), np.array(lengths, dtype=np.int64))


@dataclass(frozen=True)
class CutListing:
    """Recordings of train, validation and test."""

    splits: dict[str, list[Recording]]
    notes: list[str]
    warnings: list[str]
    fold: FoldPart | None = None


def cut_listing(listing: Listing, options: SoundOptions) -> CutListing:
    """The three splits; those that the source lacks are cut from train, by whole speakers.

    Raises:
        DataError: too few recordings, or no train split.
    """
    splits = dict(listing.splits)
    if "train" not in splits:
        raise DataError(f"{options.source} has no train split; there are: {', '.join(splits)}")
    if options.fold:
        return _fold(splits, options)
    total = len(splits["train"])
    known = {row.speaker for row in splits["train"]} - {""}
    shared = "test" in splits and bool(known & {row.speaker for row in splits["test"]})
    apart = options.split_by == "speaker" and len(known) >= 3 and not shared
    unit = "recordings, of speakers of their own," if apart else "recordings"

    def divide(
        train: list[Recording], name: str, size: float
    ) -> tuple[list[Recording], list[Recording]]:
        if len(train) < 3:
            few = f"{plural(total, 'recording')} {agree(total, 'is', 'are')} too few"
            mend = "give more, or name a column of splits with --split-column"
            raise DataError(f"{options.source}: {few} to cut {name} from; {mend}")
        return cut_rows(train, size, options.split_seed, apart=apart)

    shares = {"test": options.test_share, "validation": options.validation_share}
    words = f"{unit} cut from train (seed {options.split_seed})"
    cut, notes = complete_splits(splits, shares, divide, lambda count: f"{count} {words}")
    warnings = shared_speakers(cut) if options.split_by == "speaker" else []
    unknown = sum(not row.speaker for rows in splits.values() for row in rows)
    if known and unknown and options.split_by == "speaker":
        have = agree(unknown, "has", "have")
        warnings.append(
            f"{plural(unknown, 'recording')} {have} no speaker: they may be of people who stand in"
            " another split too; name them in the table, or say --split-by recording"
        )
    if not known and options.split_by == "speaker":
        warnings.append(
            "no speaker is known: those of test may stand in train too; name them with"
            " --speaker-column or --speaker-pattern, or say --split-by recording"
        )
    return CutListing(cut, notes, warnings)


def cut_rows(
    rows: Sequence[Recording], size: float, seed: int, *, apart: bool
) -> tuple[list[Recording], list[Recording]]:
    """Cut about ``size`` recordings off, at random; ``apart``: whole speakers, one at least."""
    generator = np.random.default_rng(seed)
    if not apart:
        taken = set(generator.permutation(len(rows))[: min(max(1, round(size)), len(rows) - 1)])
    else:
        names = sorted({row.speaker for row in rows})
        counts = Counter(row.speaker for row in rows)
        chosen, count = set[str](), 0
        for place in generator.permutation(len(names))[:-1]:
            if count and count + counts[names[place]] / 2 > size:
                break
            chosen.add(names[place])
            count += counts[names[place]]
        taken = {i for i, row in enumerate(rows) if row.speaker in chosen}
    kept = [row for i, row in enumerate(rows) if i not in taken]
    return kept, [row for i, row in enumerate(rows) if i in taken]


def shared_speakers(splits: Mapping[str, Sequence[Recording]]) -> list[str]:
    """A warning for each of validation and test that has speakers of train."""
    known = {row.speaker for row in splits["train"]} - {""}
    warnings = []
    for name in SPLITS[1:]:
        own = {row.speaker for row in splits[name]} - {""}
        if both := len(own & known):
            part = f"{both} of {plural(len(own), 'speaker')} of {name}"
            warnings.append(
                f"{part} {agree(both, 'stands', 'stand')} in train too: scores are of known voices"
            )
    return warnings


def _fold(splits: dict[str, list[Recording]], options: SoundOptions) -> CutListing:
    """One fold of train and validation; a test split that is given apart is left out."""
    fold = options.fold
    rows = [row for name in SPLITS[:2] for row in splits.get(name, [])]
    names = [f"{row.name}" for row in rows]
    grouped = fold.group in ("speaker", options.speaker_column) and bool(fold.group)
    if fold.group and not grouped:
        raise DataError(
            f"fold_group: recordings are grouped by speaker alone, not by {fold.group!r}"
        )
    speakers = [row.speaker for row in rows]
    if grouped and not any(speakers):
        raise DataError(f"{options.source}: fold_group: no speaker is known")
    bound = folds.bound_together(names, *([speakers] if grouped else []))
    texts = [""] * len(rows) if grouped else [row.text for row in rows]
    found = folds.deal(bound, texts, fold.folds, options.split_seed, grouped=grouped)
    rest = [row for row, own in zip(rows, found, strict=True) if own != fold.fold]
    apart = grouped and options.split_by == "speaker" and len({row.speaker for row in rest}) >= 2
    size = options.validation_share * len(rows)
    train, validation = cut_rows(rest, size, options.split_seed, apart=apart)
    items: Ints = np.flatnonzero(found == fold.fold)
    cut = {"train": train, "validation": validation, "test": [rows[int(i)] for i in items]}
    how = folds.in_words(
        fold, "speaker" if grouped else "", "" if grouped else "text", "recordings"
    )
    sizes = ", ".join(f"{name} {len(part):,}" for name, part in cut.items())
    notes = [f"{how} (split seed {options.split_seed}); fold {fold.fold}: {sizes}"]
    if "test" in splits:
        notes.append(folds.apart_note(len(splits["test"]), "recording"))
    digest = folds.digest_of(part for row in rows for part in (row.name, row.text, row.speaker))
    part = FoldPart(fold.fold, fold.folds, items, len(rows), digest, how)
    return CutListing(cut, notes, shared_speakers(cut) if grouped else [], part)
