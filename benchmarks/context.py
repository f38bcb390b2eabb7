"""The running text of a language model whose states taggers and classifiers are to read.

    python benchmarks/context.py OUT.txt [--ewt FOLDER] [--wnut FOLDER] [--tweets] [--seed 0]

A line a sentence, with blanks between tokens as ``--context`` spells them, of the training splits
alone: UD English EWT, WNUT-17, and the embedded tweets as ``birnn sentiment`` splits them by
default. Lines are in the order that a seed draws. Then

    birnn language --data OUT.txt --documents lines --out RUN
    birnn tagging --data FOLDER --context RUN --out WITH
    birnn tagging --data FOLDER --out WITHOUT
    birnn compare WITHOUT WITH
"""

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from birnn.tasks.runs.launch import make_task  # noqa: E402


def sentences(folder: str) -> Iterator[str]:
    """The sentences of the train split of a folder of CoNLL files."""
    (path,) = [p for p in sorted(Path(folder).glob("*train*")) if p.suffix.startswith(".conll")]
    tokens: list[str] = []
    column = 1 if path.suffix == ".conllu" else 0
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        if not line.strip():
            if tokens:
                yield " ".join(tokens)
            tokens = []
        elif not line.startswith("# ") or column == 0:
            cells = line.split("\t")
            if column == 0 or cells[0].isdigit():
                tokens.append(cells[column])


def tweets() -> Iterator[str]:
    """The texts of the train split of the embedded tweets, cut into tokens."""
    from birnn.data.text.tokenizers import get_tokenizer
    from birnn.tasks.sentiment.options import SentimentConfig

    task = make_task("sentiment", SentimentConfig())
    cut = get_tokenizer("social")
    for text in task.load().splits["train"].table["text"][:]:
        yield " ".join(cut(text))


def main() -> None:
    """Write the lines."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--ewt", default="", help="folder of UD English EWT; empty: left out")
    parser.add_argument("--wnut", default="", help="folder of WNUT-17; empty: left out")
    parser.add_argument("--tweets", action="store_true", help="the embedded tweets too")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    lines = [line for folder in (options.ewt, options.wnut) if folder for line in sentences(folder)]
    lines += tweets() if options.tweets else ()
    random.Random(options.seed).shuffle(lines)
    options.out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"{len(lines):,} lines, {sum(map(len, lines)):,} characters")


if __name__ == "__main__":
    main()
