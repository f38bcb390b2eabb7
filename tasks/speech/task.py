"""Speech: log-mel frames → convolutions → encoder → symbols by CTC, or one label."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from birnn import processes
from birnn.arrays import Array
from birnn.data.audio.batches import SoundSplit
from birnn.data.audio.features import FeatureOptions
from birnn.data.audio.recordings import Recording, SoundOptions
from birnn.data.tables.dialect import ReadOptions
from birnn.data.wording import plural
from birnn.errors import ConfigError, DataError
from birnn.nn.audio.augment import Augmentation
from birnn.nn.audio.ctc import steps_needed
from birnn.nn.audio.front import Front, FrontSizes
from birnn.nn.batch import Batch
from birnn.progress import tell
from birnn.tasks.core.folding import fold_options
from birnn.tasks.core.inference import run_split
from birnn.tasks.core.stored import MAX_LABELS
from birnn.tasks.core.task import Baseline, Evaluation, LoadedSplit, Record, Task, TaskData
from birnn.tasks.speech.goals import Goal, Labels, Texts, known_targets
from birnn.tasks.speech.info import UNKNOWN, SpeechInfo, learned, read_info
from birnn.tasks.speech.model import SpeechModel
from birnn.tasks.speech.options import SpeechConfig, SpeechParts
from birnn.tasks.speech.search import Search
from birnn.training.losses import LossSum

FRAMES_A_STEP = (1, 2, 4)
PICTURES = 3  # in a report, of recordings that were misread, and of others
Data = TaskData[SpeechInfo, SoundSplit]


class Speech(Task[SpeechConfig, SpeechInfo, SoundSplit]):
    """Recordings → texts, or labels."""

    name = "speech"
    unit, length_unit = "recordings", "frames"
    monitors = ("wer", "nll", "cer", "log_loss", "accuracy", "macro_f1")
    headline = ("wer", "cer", "accuracy", "macro_f1")

    def __init__(self, config: SpeechConfig) -> None:
        super().__init__(config)
        if config.model.subsampling not in FRAMES_A_STEP:
            raise ConfigError(f"subsampling: {config.model.subsampling} is not 1, 2 or 4")
        self.goal = self._goal()

    def _goal(self) -> Goal:
        """What a recording is asked for."""
        data, parts = self.config.data, self.config.model
        if data.labels:
            return Labels()
        search = Search(parts.beam, parts.known_words, parts.language_model, parts.language_weight)
        return Texts(data.units == "symbols", search)

    def monitors_for(self, info: SpeechInfo) -> tuple[str, ...]:
        """Those of the goal; symbols with spaces between have no ``cer``."""
        return tuple(m for m in self.goal.monitors if m != "cer" or not info.spaced)

    def load(self) -> Data:
        """List, read and split the recordings; labels and symbols come from train."""
        from birnn.data.audio.listing import list_recordings
        from birnn.data.audio.loading import Findings, as_split, cut_listing, usual_rate

        data = self.config.data
        options = self.sound_options(data.data)
        listing = list_recordings(options)
        cut = cut_listing(listing, options)
        rows = cut.splits["train"]
        frames = self.features(data.sample_rate or usual_rate(rows))
        findings = Findings()
        spoken, told = self._synthetic(rows, frames.rate)
        every = {**cut.splits, "train": [*rows, *spoken]}
        splits = {
            name: as_split(part, frames, data.max_seconds, findings) for name, part in every.items()
        }
        for name, split in splits.items():
            if not len(split):
                raise DataError(f"{listing.source}: no recording of {name} can be used")
        texts = [row.text for row in splits["train"].recordings]
        single, spaced = data.labels, data.units == "symbols" and not data.labels
        info = learned(texts, frames, spaced=spaced, single=single)
        if self.origin:
            info = self.origin.merged(info)
        if single and len(info.labels) < 2:
            raise DataError(f"{listing.source}: train has one label; give recordings of several")
        if len(info.labels) > MAX_LABELS:
            kinds = f"{len(info.labels):,} different {'labels' if single else 'symbols'}"
            raise DataError(f"{listing.source}: {kinds} in train, more than {MAX_LABELS:,}")
        parts = {name: self.split_of(split, info) for name, split in splits.items()}
        parts["train"], short = self._long_enough(parts["train"])
        self._check_known(parts, info)
        unknown = _unknown(parts["train"], info)
        notes = [*listing.notes, *cut.notes, *findings.notes(), *told, *short, *unknown]
        provenance = self._provenance(listing.source, parts, cut.notes, findings, notes)
        warnings = [*listing.warnings, *cut.warnings]
        return TaskData(parts, info, provenance, notes, warnings, listing.reading, cut.fold)

    def _synthetic(self, rows: Sequence[Recording], rate: int) -> tuple[list[Recording], list[str]]:
        """What synthetic voices say of train's texts, and a note."""
        count, parts = self.config.model.synthetic_voices, self.config.model
        if not count:
            if parts.synthetic_language != SpeechParts().synthetic_language:
                raise ConfigError("synthetic_language: say with --synthetic-voices how many speak")
            return [], []
        if self.config.data.units == "symbols" and not self.config.data.labels:
            raise ConfigError("synthetic_voices: they say words, and texts here are symbols")
        from birnn.data.audio.synthetic import synthetic_recordings

        texts = [row.text for row in rows]
        found = synthetic_recordings(texts, count, parts.synthetic_language, rate)
        voices = plural(count, "synthetic voice")
        return found, [f"train: {plural(len(found), 'recording')} of {voices} (espeak-ng) added"]

    def _provenance(
        self, source: str, parts: Mapping[str, SoundSplit], cuts: list[str], findings: Any,
        notes: list[str],
    ) -> dict[str, Any]:  # fmt: skip
        """The ``data`` part of ``metrics.json``."""
        hop = self.config.data.hop
        speakers = {
            name: len({row.speaker for row in part.recordings} - {""})
            for name, part in parts.items()
        }
        return {
            "source": source, "rows": {name: len(part) for name, part in parts.items()},
            "unit": self.unit, "splits": cuts or ["as the source gives them"], "notes": notes,
            "left_out": {"can't be used": len(findings.broken)}, "broken": findings.broken,
            "clipped": findings.clipped, "short": findings.short, "twins": findings.twins,
            "torn": findings.torn, "speakers": speakers,
            "seconds": {n: round(float(p.lengths.sum()) * hop, 1) for n, p in parts.items()},
        }  # fmt: skip

    def features(self, rate: int) -> FeatureOptions:
        """What a frame is, of recordings of that rate."""
        data = self.config.data
        return FeatureOptions(rate, data.mels, data.window, data.hop)

    def sound_options(self, source: str, *, texts: bool = True) -> SoundOptions:
        """How ``source`` is read; other data than the run's own as that was."""
        data = self.config.data
        other = source != data.data
        return SoundOptions(
            source, data.path_column, data.text_column, data.speaker_column,
            "none" if other and not texts else data.split_column, data.speaker_pattern,
            data.split_by, data.validation_share, data.test_share, data.split_seed, data.lower,
            ReadOptions(data.encoding, data.skip_ragged, data.table, self.trained),
            fold_options(data), dict(self.columns) if other else {}, texts,
        )  # fmt: skip

    def split_of(self, split: SoundSplit, info: SpeechInfo) -> SoundSplit:
        """A split with targets where its recordings have texts, and its speakers' levels."""
        if split.recordings and all(row.text for row in split.recordings):
            targets = info.targets([row.text for row in split.recordings])
            split = replace(split, targets=targets, single=info.single)
        return split.by_speaker() if self.config.data.normalise == "speaker" else split

    def read(self, rows: Sequence[Recording], info: SpeechInfo) -> tuple[SoundSplit, list[str]]:
        """Recordings as a split to predict or score, and what was left out of them."""
        from birnn.data.audio.loading import Findings, as_split

        findings = Findings()
        split = as_split(rows, info.features, self.config.data.max_seconds, findings)
        return self.split_of(split, info), findings.notes()

    def _long_enough(self, split: SoundSplit) -> tuple[SoundSplit, list[str]]:
        """Train without recordings that have fewer steps than symbols: no path leads there."""
        if split.single:
            return split, []
        stride = self.config.model.subsampling
        needed = [steps_needed(row) for row in known_targets(split)]
        fits = -(-split.lengths // stride) >= np.array(needed)
        if fits.all():
            return split, []
        if not fits.any():
            raise DataError(
                "every recording of train is too short for its text: lower --subsampling"
            )
        short = [split.recordings[int(i)].name for i in np.flatnonzero(~fits)]
        some = ", ".join(short[:3])
        note = (
            f"{plural(len(short), 'recording')} of train too short for the text: left out ({some})"
        )
        return split.select(np.flatnonzero(fits)), [note]

    def _check_known(self, parts: Mapping[str, SoundSplit], info: SpeechInfo) -> None:
        """Refuse labels that train lacks; an unknown symbol of a text is an error like others."""
        for name, part in parts.items():
            for row, target in zip(part.recordings, known_targets(part), strict=True):
                if info.single and target[0] == UNKNOWN:
                    raise DataError(
                        f"{name} has the label {row.text!r} ({row.name}), which the run's train"
                        " split lacks: leave it out, or train with it"
                    )

    def load_split(self, info: SpeechInfo, source: str, name: str) -> LoadedSplit[SoundSplit]:
        """Recordings to score."""
        from birnn.data.audio.listing import list_recordings
        from birnn.data.audio.loading import cut_listing

        options = self.sound_options(source or self.config.data.data)
        listing = list_recordings(options)
        splits = listing.splits
        if not source:
            splits = cut_listing(listing, options).splits
        if len(splits) > 1 and name not in splits:
            raise DataError(f"{source}: no {name} split; there are: {', '.join(splits)}")
        rows = splits[name] if name in splits else next(iter(splits.values()))
        split, notes = self.read(rows, info)
        if not len(split):
            raise DataError(f"{options.source}: no recording can be used; {'; '.join(notes)}")
        self._check_known({source or name: split}, info)
        where = source or f"{options.source} ({name})"
        return LoadedSplit(split, where, [*listing.notes, *notes, *listing.warnings])

    def read_info(self, folder: Path) -> SpeechInfo:
        """Restore ``sound.json``."""
        return read_info(folder)

    def name_items(self, split: SoundSplit, items: Array) -> str:
        """Files of train."""
        names = [split.recordings[int(item)].name for item in items]
        more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
        return f"recordings {', '.join(names[:5])}{more}"

    # Model

    def model(self, info: SpeechInfo) -> nn.Module:
        """Front, encoder and head."""
        parts = self.config.model
        sizes = FrontSizes(
            info.features.mels, parts.channels, parts.subsampling, parts.deltas, parts.front_size,
            parts.front_dropout,
        )  # fmt: skip
        augmentation = Augmentation(
            parts.speed, parts.voice, parts.noise, bands=parts.band_masks, spans=parts.time_masks,
            band_width=max(1, info.features.mels // 5),
        )  # fmt: skip
        front = Front(sizes, augmentation)
        outputs = len(info.labels)
        return SpeechModel(
            front, self.config.encoder, outputs, parts.head_dropout, single=info.single
        )

    def describe(self, info: SpeechInfo) -> list[tuple[str, str]]:
        """What is trained."""
        own, parts = info.features, self.config.model
        what = (
            f"{len(info.labels)} labels" if info.single else f"{len(info.labels) - 1} symbols, CTC"
        )
        return [
            *super().describe(info),
            ("sound", f"{own.rate:,} Hz, {own.mels} log-mel bands every {own.hop * 1000:g} ms"),
            ("steps", f"{parts.channels} channels, {plural(parts.subsampling, 'frame')} a step"),
            ("outputs", what),
        ]

    def loss(self, outputs: Any, batch: Batch) -> LossSum:
        """That of the goal."""
        return self.goal.loss(outputs, batch)

    def decode(self, outputs: Any, batch: Batch) -> list[Array]:
        """Of texts ``[L, 4]`` symbols for each item, of labels ``[C]`` probabilities."""
        return self.goal.decode(outputs, batch)

    def count(self, outputs: Any, batch: Batch, info: SpeechInfo) -> Mapping[str, Array]:
        """Summable counts of the goal."""
        return self.goal.count(outputs, batch, info)

    def scores(self, counts: Mapping[str, Array]) -> dict[str, float]:
        """Validation scores of the goal."""
        return self.goal.scores(counts)

    def predictions(self, model: nn.Module, split: SoundSplit, info: SpeechInfo) -> list[Array]:
        """As :meth:`decode`; of texts by the search that the options name."""
        read = self.goal.read
        return [read(row, info) for row in self.soft(model, split, info)]

    def soft(self, model: nn.Module, split: SoundSplit, info: SpeechInfo) -> list[Array]:
        """Of texts ``[T, K]`` logarithms of the shares of symbols, of labels ``[C]`` their own."""
        rows: dict[int, Array] = {}
        for indices, batch, outputs in run_split(model, split, self.config.train, shared=True):
            rows.update(zip(indices.tolist(), self.goal.soft(outputs, batch), strict=True))
            tell("recognising", len(rows) / len(split))
        whole = {item: row for part in processes.collected(rows) for item, row in part.items()}
        return [whole[item] for item in range(len(split))] if whole else []

    def combined(
        self, parts: Sequence[tuple[SoundSplit, Any, SpeechInfo]], info: SpeechInfo
    ) -> list[Array]:
        """From the mean of the shares.

        Raises:
            ConfigError: the models know other symbols, or have steps of another length.
        """
        rows = list(zip(*(own for _, own, _ in parts), strict=True))
        same = all(own.labels == info.labels for _, _, own in parts)
        if not same or any(len({one.shape for one in row}) > 1 for row in rows):
            raise ConfigError("ensemble: runs of other labels, symbols or steps can't be averaged")
        read = self.goal.read
        if info.single:
            return [np.mean(row, axis=0) for row in rows]
        means = (np.log(np.mean(np.exp(row), axis=0).clip(1e-30)) for row in rows)
        return [read(row.astype(np.float32), info) for row in means]

    def evaluate(
        self, split: SoundSplit, predictions: Sequence[Array], info: SpeechInfo, seed: int
    ) -> Evaluation:
        """Test scores of the goal, resampled by speakers where these are known."""
        return self.goal.evaluate(split, predictions, info, seed)

    def baselines(self, data: Data) -> list[Baseline]:
        """The most frequent label or text, and the nearest recording of train."""
        from birnn.tasks.speech.baselines import most_frequent, nearest

        return [most_frequent(data), nearest(data)]

    def records(
        self, split: SoundSplit, predictions: Sequence[Array], info: SpeechInfo
    ) -> Iterable[Record]:
        """A row a recording."""
        return [
            {"path": row.name, "speaker": row.speaker, "gold": row.text,
             **self.goal.record(predicted, info)}
            for row, predicted in zip(split.recordings, predictions, strict=True)
        ]  # fmt: skip

    def details(
        self, split: SoundSplit, predictions: Sequence[Array], info: SpeechInfo
    ) -> dict[str, Any]:
        """Of labels the confusion, of both the most confident mistakes."""
        return self.goal.details(split, predictions, info)

    def report_extras(
        self, model: nn.Module, data: Data, predictions: Any, baselines: Sequence[Baseline]
    ) -> dict[str, Any]:
        """Of each test item its row in the user's data, and spectrograms of some."""
        from birnn.tasks.speech.pictures import picture_of
        from birnn.tasks.speech.words import timed_words

        test, info = data.splits["test"], data.info
        step = self.config.model.subsampling * info.features.hop
        pictures = []
        for item in self._shown(test, predictions, info):
            row, predicted = test.recordings[item], predictions[item]
            words = [] if info.single else timed_words(predicted, info, step)
            picture = picture_of(test.one(item), info.features.hop, words)
            record = self.goal.record(predicted, info)
            said = record["label"] if info.single else record["text"]
            told = {"path": row.name, "speaker": row.speaker, "gold": row.text, "said": said}
            pictures.append({**told, **picture})
        return {"items": {"row": [row.row for row in test.recordings]}, "pictures": pictures}

    def _shown(self, test: SoundSplit, predictions: Any, info: SpeechInfo) -> list[int]:
        """Of the recordings that were misread, and of the others, the first of every speaker."""
        shown = list[int]()
        records = [self.goal.record(predicted, info) for predicted in predictions]
        said = [record["label"] if info.single else record["text"] for record in records]
        for right in (False, True):
            speakers: dict[str, int] = {}
            for item, row in enumerate(test.recordings):
                if (row.text == said[item]) is right:
                    speakers.setdefault(row.speaker, item)
            shown += list(speakers.values())[:PICTURES]
        return shown


def _unknown(train: SoundSplit, info: SpeechInfo) -> list[str]:
    """A note where a run's kept symbols are not all that train's texts have."""
    if info.single:
        return []
    found = Counter(symbol for row in train.recordings for symbol in info.symbols(row.text))
    lost = {symbol: count for symbol, count in found.items() if symbol not in info.labels}
    if not lost:
        return []
    what = plural(sum(lost.values()), "symbol")
    return [f"{what} of train not known to the run that is begun from: left out of its texts"
            f" ({' '.join(sorted(lost)[:10])})"]  # fmt: skip
