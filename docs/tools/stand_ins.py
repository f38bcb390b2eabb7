"""Small files and runs that stand for those which a page names."""

import json
import math
import random
import wave
from collections.abc import Callable
from pathlib import Path

Train = Callable[[list[str]], tuple[str, int]]
GOOD = ("lovely", "quiet", "wonderful", "warm", "funny", "bright")
BAD = ("dull", "long", "cold", "flat", "loud", "empty")
NAMES = {"PER": ("Ada", "Grace", "Alan"), "LOC": ("Paris", "Cupertino", "Rome"), "ORG": ("Acme",)}
# A run → the command that trains it.
RUNS = {
    "runs/reviews": "sentiment --data reviews.csv --out runs/reviews",
    "runs/other": "sentiment --data reviews.csv --out runs/other --seed 1",
    "runs/gru": "sentiment --data reviews.csv --out runs/gru",
    "runs/lstm": "sentiment --data reviews.csv --out runs/lstm --encoder bilstm",
    "runs/small": "sentiment --data reviews.csv --out runs/small --hidden-size 2",
    "runs/x": "sentiment --data reviews.csv --out runs/x",
    "runs/ner": "tagging --data ner --out runs/ner",
    "runs/load": "forecast --data load.csv --target demand --out runs/load",
    "runs/steps": "regression --data steps.csv --target demand --sequence-column day"
    " --out runs/steps",
}


def write_stand_ins(text: str, train: Train) -> None:
    """Write into the working folder what ``text`` names and does not make itself."""
    for name, write in FILES.items():
        write(Path(name))
    for name, command in RUNS.items():
        if name in text and f"--out {name}" not in text:
            said, code = train(command.split())
            assert not code, f"{command}\n{said}"


def review(number: int) -> tuple[str, str]:
    """A text and its label."""
    made = random.Random(number)
    words, label = ((GOOD, "good"), (BAD, "bad"))[number % 2]
    first, second = made.sample(words, 2)
    noun = made.choice(("film", "book", "song", "play", "meal"))
    return f"a {first} and {second} {noun}, number {number}", label


def write_reviews(path: Path, rows: range = range(80), header: str = "text,label") -> None:
    """Labelled texts as CSV."""
    lines = [f'"{text}",{label}' for text, label in map(review, rows)]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def write_texts(path: Path) -> None:
    """Texts without labels: a column of a CSV file, or a line each."""
    texts = [review(number)[0].replace(",", "") for number in range(200, 206)]
    header = ["text"] if path.suffix == ".csv" else []
    path.write_text("\n".join([*header, *texts]) + "\n", encoding="utf-8")


def write_book(path: Path) -> None:
    """Running text."""
    path.write_text("\n".join(review(number)[0] for number in range(60)) + "\n", encoding="utf-8")


def write_pairs(path: Path) -> None:
    """Texts with others that say the same."""
    texts = [review(number)[0].replace(",", "") for number in range(80)]
    rows = [f"{text}\t{' '.join(reversed(text.split()))}" for text in texts]
    path.write_text("\n".join(["source\ttarget", *rows]) + "\n", encoding="utf-8")


def write_stars(path: Path) -> None:
    """Labelled texts as JSON lines, with columns of other names."""
    rows = [dict(zip(("body", "stars"), review(number), strict=True)) for number in range(80)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_splits(path: Path) -> None:
    """A folder with one file a split."""
    path.mkdir(exist_ok=True)
    write_reviews(path / "train.csv")
    write_reviews(path / "dev.csv", range(80, 100))


def sentence(number: int) -> list[tuple[str, str]]:
    """Tokens with tags in IOB2."""
    made = random.Random(number)
    person, place = made.choice(NAMES["PER"]), made.choice(NAMES["LOC"])
    return [
        (person, "B-PER"), ("Smith", "I-PER"), ("met", "O"), (made.choice(NAMES["ORG"]), "B-ORG"),
        ("in", "O"), (place, "B-LOC"), (".", "O"),
    ]  # fmt: skip


def write_columns(path: Path, rows: range = range(60)) -> None:
    """Tagged sentences as a column file."""
    blocks = ["\n".join(f"{word} {tag}" for word, tag in sentence(number)) for number in rows]
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def write_ner(path: Path) -> None:
    """A folder of column files."""
    path.mkdir(exist_ok=True)
    write_columns(path / "train.conll")
    write_columns(path / "dev.conll", range(60, 80))


def write_treebank(path: Path) -> None:
    """A folder of CoNLL-U."""
    path.mkdir(exist_ok=True)
    blocks = []
    for number in range(60):
        rows = [
            f"{at}\t{word}\t{word.lower()}\tX\t{'NNP' if tag != 'O' else 'IN'}\t_\t0\troot\t_\t_"
            for at, (word, tag) in enumerate(sentence(number), 1)
        ]
        blocks.append("\n".join(rows))
    (path / "train.conllu").write_text("\n\n".join(blocks) + "\n\n", encoding="utf-8")


def write_marked(path: Path) -> None:
    """Raw texts with spans of characters, as JSON lines."""
    rows = []
    for number in range(60):
        text, spans = "", []
        for word, tag in sentence(number):
            if tag.startswith("B-"):
                spans.append({"start": len(text), "end": len(text) + len(word), "label": tag[2:]})
            text += f"{word} "
        rows.append({"text": text.rstrip(), "spans": spans})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_load(path: Path, hours: int = 700) -> None:
    """An hourly series with a day's season."""
    made = random.Random(0)
    lines = ["time,demand"]
    for hour in range(hours):
        value = 100 + 20 * math.sin(hour / 24 * 2 * math.pi) + made.gauss(0, 2)
        day, clock = divmod(hour, 24)
        month, day = divmod(day, 28)
        lines.append(f"2024-{month + 1:02d}-{day + 1:02d} {clock:02d}:00,{value:.2f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_sales(path: Path) -> None:
    """Days of two shops, with holidays that are known 28 days ahead."""
    from datetime import date, timedelta

    made, lines = random.Random(1), ["shop,day,sales,holiday"]
    for shop in ("north", "south"):
        for number in range(400 + 28):
            day = date(2023, 1, 1) + timedelta(number)
            sold = f"{50 + 10 * (number % 7) + made.gauss(0, 3):.1f}" if number < 400 else ""
            lines.append(f"{shop},{day},{sold},{int(number % 30 == 0)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_steps(path: Path, days: int = 30) -> None:
    """Numbers for every step of a day."""
    made, lines = random.Random(2), ["day,hour,heat,wind,demand"]
    for day in range(days):
        for hour in range(6):
            heat, wind = made.gauss(0, 1), made.gauss(0, 1)
            lines.append(f"{day},{hour},{heat:.3f},{wind:.3f},{heat - wind / 2:.3f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_recordings(path: Path) -> None:
    """Tones as WAV files in a folder beside a table of them, by four speakers."""
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    rows = ["path,text,speaker"]
    for number in range(16):
        text, speaker = ("low", "high")[number % 2], number // 4
        hertz = (300 + 20 * speaker) * (1 + number % 2)
        tone = (8000 * math.sin(2 * math.pi * hertz * at / 8000) for at in range(2000))
        with wave.open(str(folder / f"{number}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(b"".join(int(v).to_bytes(2, "little", signed=True) for v in tone))
        rows.append(f"{folder.name}/{number}.wav,{text},s{speaker}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


FILES: dict[str, Callable[[Path], None]] = {
    "reviews.csv": write_reviews,
    "newer.csv": lambda path: write_reviews(path, range(100, 140)),
    "reviews.jsonl": write_stars,
    "reviews": write_splits,
    "texts.csv": write_texts,
    "book.txt": write_book,
    "texts.txt": write_texts,
    "ner": write_ner,
    "treebank": write_treebank,
    "marked.jsonl": write_marked,
    "new.conll": lambda path: write_columns(path, range(90, 95)),
    "load.csv": write_load,
    "newer_load.csv": write_load,
    "sales.csv": write_sales,
    "steps.csv": write_steps,
    "recordings.csv": write_recordings,
    "pairs.tsv": write_pairs,
    "newer_steps.csv": lambda path: write_steps(path, 4),
}
