"""What a list of recordings holds."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from birnn.data.audio.listing import list_recordings
from birnn.data.audio.loading import some_names
from birnn.tasks.core.inspection import Counts, Finding, Inspection, attempt

SHOWN = 20  # texts, labels or speakers of a table


def inspect_sounds(task: Any) -> Inspection:
    """What the data of a recogniser hold: recordings, speakers, texts, and what can't be used.

    Raises:
        DataError: they can't be listed at all.
    """
    options = task.config.data
    listing = list_recordings(task.sound_options(options.data))
    data, findings = attempt(task.load)
    rows = {name: len(part) for name, part in listing.splits.items()}
    everything = [row for part in listing.splits.values() for row in part]
    speakers = Counter(row.speaker for row in everything if row.speaker)
    texts = Counter(row.text for row in everything)
    what = "label" if options.labels else "text"
    pairs = [
        ("recordings", ", ".join(f"{name} {count:,}" for name, count in rows.items())),
        ("speakers", f"{len(speakers):,}" if speakers else "not known"),
        (f"different {what}s", f"{len(texts):,}"),
    ]
    facts: dict[str, Any] = {
        "rows": rows, "speakers": len(speakers), "texts": len(texts), "reading": listing.reading,
    }  # fmt: skip
    notes = [*listing.notes, *listing.warnings]
    if data is not None:
        told, own = data.provenance, data.info.features
        sound = f"{own.rate:,} Hz, {own.mels} log-mel bands every {own.hop * 1000:g} ms"
        seconds = [float(n) * own.hop for split in data.splits.values() for n in split.lengths]
        pairs += [("sound", sound), ("seconds", f"{sum(seconds):,.0f}, longest {max(seconds):.1f}")]
        facts |= {"rate": own.rate, "seconds": told["seconds"]}
        findings += unusable(told)
        notes = [*data.notes, *data.warnings]
    counts = [
        Counts(f"Most frequent {head}s", [head, "recordings"], [[*pair] for pair in most])
        for head, most in (
            (what, texts.most_common(SHOWN)),
            ("speaker", speakers.most_common(SHOWN)),
        )
        if most
    ]
    return Inspection(task.name, listing.source, pairs, counts, findings, notes, facts)


def unusable(told: Mapping[str, Any]) -> list[Finding]:
    """Recordings that were left out, and what is odd about others."""
    clipped = ("clipped", told["clipped"], "clipped at full scale", "used as they are")
    kinds = (
        ("broken", told["broken"], "can't be used", "left out"), clipped,
        ("short", told["short"], "shorter than a frame", "filled up with silence"),
        ("twins", told["twins"], "to the last sample like an earlier one", "kept"),
        ("torn", told["torn"], "like an earlier one in sound, with another text", "kept"),
    )  # fmt: skip
    return [
        Finding(kind, len(names), [], f"{len(names):,} {words}: {some_names(names)}", done)
        for kind, names, words, done in kinds
        if names
    ]
