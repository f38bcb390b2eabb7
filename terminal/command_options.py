"""The options of commands, but for those of tasks; light to import, so that help shows at once."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, make_dataclass
from functools import partial
from typing import Any, get_type_hints

from birnn.config import device_option, engine_option, flat_names, option, threads_option
from birnn.data.stamps.options import StampOptions
from birnn.data.tables.dialect import TableOptions
from birnn.tasks import TASKS
from birnn.tasks.runs.tracking_options import TrackConfig
from birnn.tasks.serving.generating import Generation
from birnn.tasks.tuning.options import TuneOptions
from birnn.training.checkpoint_options import CheckpointConfig

of_run, of_data, of_output = (partial(option, group=name) for name in ("Run", "Data", "Output"))


def without_ragged() -> Any:
    """Whether rows that don't fit the header are left out."""
    text = "Leave out CSV rows with too many or too few fields, broken lines of JSON."
    return of_data(False, text, level="advanced")


def escaping() -> Any:
    """Whether text in a table is kept from being run as a formula."""
    text = (
        "In a .csv output, put an apostrophe before text that a spreadsheet would run as formula."
    )
    return of_output(False, text)


@dataclass(frozen=True)
class OriginOptions:
    """Which run another begins from, and what is kept of it."""

    from_: str = of_run(
        "", "Begin from this trained run, a folder or hf://USER/NAME, whose sizes and words count."
    )
    from_vocabulary: str = of_run(
        "grow", "With --from: the run's words stay and those of the new data are added (grow), stay"
        " alone (keep), or are the new data's alone (refit).",
        choices=("grow", "keep", "refit"), level="advanced",
    )  # fmt: skip
    from_scaler: str = of_run(
        "keep", "With --from: numbers are scaled as the run's own were, where it knows them, or"
        " anew.",
        choices=("keep", "refit"), level="advanced",
    )  # fmt: skip


@dataclass(frozen=True)
class RunOptions:
    """Where a run goes, and how many."""

    out: str = of_run("", "Folder of the run. Empty: runs/TASK-ENCODER-TIME.")
    overwrite: bool = of_run(
        False, "Replace the run that --out holds; refused where anything else lies there."
    )
    seeds: int = of_run(
        1, "Train this many seeds (--seed, --seed + 1, …); report mean and deviation.",
        low=1, high=1000,
    )  # fmt: skip
    estimate: bool = of_run(
        False, "Only measure a few steps, and say what training would take: time and memory.",
        level="advanced",
    )  # fmt: skip
    largest_batch: bool = of_run(
        False, "Take the largest batches that the GPU holds, 1, 2, 4, … times those asked for.",
        level="advanced",
    )  # fmt: skip
    jobs: int = of_run(
        1, "Train this many seeds or folds side by side, each in a process of its own with its"
        " share of the cores (or --threads each).",
        low=1, high=256, level="advanced",
    )  # fmt: skip
    ensemble: bool = of_run(
        False, "Let the run be all its seeds or folds together: predictions are averaged.",
        level="advanced",
    )  # fmt: skip
    resume: str = of_run(
        "", "Go on with this unfinished run, from its newest checkpoint, as it began."
    )
    origin: OriginOptions = field(default_factory=OriginOptions)
    keep: CheckpointConfig = field(default_factory=CheckpointConfig)
    track: TrackConfig = field(default_factory=TrackConfig)


@dataclass(frozen=True)
class EvaluateOptions:
    """What a run is evaluated on."""

    data: str = of_data("", "Labelled data, as for training. Empty: the run's own data.")
    split: str = of_data("test", "Split to score: train, validation or test.")
    text_column: str = of_data("", "Column of the texts. Empty: found.", level="advanced")
    label_column: str = of_data("", "Column of the labels. Empty: found.", level="advanced")
    encoding: str = of_data(
        "", "Encoding of the file. Empty: as of the run's own data.", level="advanced"
    )
    skip_ragged: bool = without_ragged()
    table: TableOptions = field(default_factory=TableOptions)
    stamps: StampOptions = field(default_factory=StampOptions)
    device: str = device_option("Machine", "cpu")
    engine: str = engine_option("Machine", "everyday")
    threads: int = threads_option("Machine", "everyday")
    json: bool = of_output(False, "Print the scores as JSON.")


@dataclass(frozen=True)
class ExportOptions:
    """What a run is exported as, and where to."""

    onnx: bool = option(False, "Write an ONNX graph and a predict.py for it.", group="Format")
    int8: bool = option(
        False, "Also write a graph with weights of 8 bits, and measure what it costs.",
        group="Format",
    )  # fmt: skip
    data: str = of_data("", "Labelled data on which --int8 is measured. Empty: the run's own data.")
    split: str = of_data("validation", "Split that it is measured on: train, validation or test.")
    out: str = of_output("", "Folder of the export. Empty: RUN-onnx, beside the run.")
    overwrite: bool = of_output(False, "Replace the export that is there.")
    json: bool = of_output(False, "Print what was checked as JSON.")


@dataclass(frozen=True)
class ReportOptions:
    """Where a report goes."""

    out: str = of_output("", "The .html file. Empty: report.html in the run's folder.")
    overwrite: bool = of_output(False, "Replace the file that --out names, whatever it holds.")


@dataclass(frozen=True)
class CompareOptions:
    """How runs are compared."""

    metric: str = of_output(
        "", "The one test score to show. Empty: those that the run's report compares."
    )
    out: str = of_output(
        "", "Draw the curves of all runs into this .png file, or compare.png of this folder."
    )
    json: bool = of_output(False, "Print everything as JSON.")


@dataclass(frozen=True)
class OutputOptions:
    """How something is shown."""

    json: bool = of_output(False, "Print it as JSON.")


@dataclass(frozen=True)
class Given:
    """Options that were given, by name, whatever has them."""

    values: Mapping[str, Any] = field(default_factory=dict)


def given_options(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the options of ``inspect`` make: those of data wait for the task that has them."""
    own = {f.name for f in fields(OutputOptions)}
    return {"data": Given({k: v for k, v in given.items() if k not in own}),
            "output": OutputOptions()}  # fmt: skip


def given_to_tune(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the options of ``tune`` make: those of the task are fixed, and so must be known."""
    own = flat_names(TuneOptions())
    return {"config": Given({k: v for k, v in given.items() if k not in own}),
            "tune": TuneOptions()}  # fmt: skip


def inspect_options() -> Any:
    """The options of the data of all tasks with an inspection, each once, and the task's name.

    One that tasks have with different defaults has none to be shown.
    """
    names = [name for name, spec in TASKS.items() if spec.inspect]
    text = f"Whose data it is: {', '.join(names)}. Empty: found."
    merged: dict[str, tuple[Any, Any]] = {"task": (str, of_data("", text))}
    for data in (TASKS[name].part("options")().data for name in names):
        hints = get_type_hints(type(data))
        for part in fields(data):
            if is_dataclass(hints[part.name]):
                merged.setdefault(part.name, (hints[part.name], part))
                continue
            kind, known = merged.get(part.name, (hints[part.name], part))
            if known.default != part.default and known.default is not MISSING:
                kind, known = kind | None, field(default=None, metadata=known.metadata)
            merged[part.name] = kind, field(default=known.default, metadata=known.metadata)
    columns = [(name, kind, part) for name, (kind, part) in merged.items()]
    return make_dataclass("InspectOptions", columns, frozen=True)()


@dataclass(frozen=True)
class PushOptions:
    """How a run is shared."""

    private: bool = option(False, "Make a new repository private.", group="Hub")
    report: bool = option(
        False, "Share report.html too; it holds texts or series of the test split.", group="Hub"
    )
    to: str = option(
        "", "Write the repository's files to this folder; nothing is sent.", group="Hub"
    )


@dataclass(frozen=True)
class PredictOptions:
    """What is predicted, and where to."""

    input: str = of_data(
        "",
        "File of texts: .txt (one a line), .csv, .tsv, .json, .jsonl, .parquet; a tagger also takes"
        " .conll, .conllu and lists of tokens, and gives them back with a column more; a forecaster"
        " takes a file of series, a regressor a table.",
    )
    text_column: str = of_data("", "Column of the texts. Empty: found by name.")
    encoding: str = of_data("utf-8-sig", "Encoding of the input file.")
    skip_ragged: bool = without_ragged()
    table: TableOptions = field(default_factory=TableOptions)
    stamps: StampOptions = field(default_factory=StampOptions)
    device: str = device_option("Machine", "cpu")
    engine: str = engine_option("Machine", "everyday")
    threads: int = threads_option("Machine", "everyday")
    output: str = of_output(
        "", "Write records to this .csv, .json, .jsonl or .txt file (taggers: .conll, .conllu too)."
    )
    resume: bool = of_output(
        False, "Go on with the --output of a predict that was stopped (texts from a file).",
        level="advanced",
    )  # fmt: skip
    escape_formulas: bool = escaping()
    json: bool = of_output(False, "Print records as JSON lines.")
    n_best: int = of_output(
        0, "Also give this many of the likeliest tag sequences of each text (taggers).",
        low=0, high=100,
    )  # fmt: skip
    explain: bool = of_output(
        False, "Show what each text's prediction looked at, where the model can say."
    )


@dataclass(frozen=True)
class GenerateOptions:
    """What is written, and where."""

    wish: Generation = field(default_factory=Generation)
    device: str = device_option("Machine", "cpu")
    engine: str = engine_option("Machine", "everyday")
    threads: int = threads_option("Machine", "everyday")
    json: bool = of_output(False, "Print a line of JSON a text.")


@dataclass(frozen=True)
class ExplainOptions:
    """What is explained, and where to."""

    class_: str = option(
        "", "The class to explain, the type of the spans, or with --token the tag. Empty: what is"
        " predicted.", group="Explain",
    )  # fmt: skip
    token: str = option(
        "", "A token of the text, or its number from 1, whose tag is explained (taggers).",
        group="Explain",
    )  # fmt: skip
    step: int = option(
        0, "A step ahead, or of a sequence, from 1; 0: the mean over all (forecast, regression).",
        group="Explain", low=0,
    )  # fmt: skip
    series: str = option("", "The name of one series; empty: all (forecast).", group="Explain")
    input: str = of_data(
        "",
        "File of texts: .txt (one a line), .csv, .tsv, .json, .jsonl, .parquet; a forecaster takes"
        " a file of series, a regressor a table.",
    )
    text_column: str = of_data("", "Column of the texts. Empty: found by name.")
    encoding: str = of_data("utf-8-sig", "Encoding of the input file.")
    skip_ragged: bool = without_ragged()
    table: TableOptions = field(default_factory=TableOptions)
    stamps: StampOptions = field(default_factory=StampOptions)
    device: str = device_option("Machine", "cpu")
    engine: str = engine_option("Machine", "everyday")
    threads: int = threads_option("Machine", "everyday")
    output: str = of_output(
        "", "Write to this .csv (a row a word, step or column), .json or .jsonl file."
    )
    escape_formulas: bool = escaping()
    json: bool = of_output(False, "Print explanations as JSON lines.")
