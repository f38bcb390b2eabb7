"""The options of commands, but for those of tasks; light to import, so that help shows at once."""

from dataclasses import dataclass, field

from birnn.config import engine_option, option, threads_option
from birnn.training.checkpoint_options import CheckpointConfig


@dataclass(frozen=True)
class RunOptions:
    """Where a run goes, and how many."""

    out: str = option("", "Folder of the run. Empty: runs/TASK-ENCODER-TIME.", group="Run")
    overwrite: bool = option(
        False,
        "Replace the run that --out holds; refused where anything else lies there.",
        group="Run",
    )
    seeds: int = option(
        1, "Train this many seeds (--seed, --seed + 1, …); report mean and deviation.",
        low=1, high=1000, group="Run",
    )  # fmt: skip
    resume: str = option(
        "", "Go on with this unfinished run, from its newest checkpoint, as it began.", group="Run"
    )
    keep: CheckpointConfig = field(default_factory=CheckpointConfig)


@dataclass(frozen=True)
class EvaluateOptions:
    """What a run is evaluated on."""

    data: str = option(
        "", "Labelled data, as for training. Empty: the run's own data.", group="Data"
    )
    split: str = option("test", "Split to score: train, validation or test.", group="Data")
    engine: str = engine_option("Machine", "everyday")
    threads: int = threads_option("Machine", "everyday")
    json: bool = option(False, "Print the scores as JSON.", group="Output")


@dataclass(frozen=True)
class ExportOptions:
    """What a run is exported as, and where to."""

    onnx: bool = option(False, "Write an ONNX graph and a predict.py for it.", group="Format")
    int8: bool = option(
        False, "Also write a graph with weights of 8 bits, and measure what it costs.",
        group="Format",
    )  # fmt: skip
    data: str = option(
        "", "Labelled data on which --int8 is measured. Empty: the run's own data.", group="Data"
    )
    split: str = option(
        "validation", "Split that it is measured on: train, validation or test.", group="Data"
    )
    out: str = option("", "Folder of the export. Empty: RUN-onnx, beside the run.", group="Output")
    overwrite: bool = option(False, "Replace the export that is there.", group="Output")
    json: bool = option(False, "Print what was checked as JSON.", group="Output")


@dataclass(frozen=True)
class CompareOptions:
    """How runs are compared."""

    metric: str = option(
        "", "The one test score to show. Empty: those that the run's report compares.",
        group="Output",
    )  # fmt: skip
    out: str = option(
        "", "Draw the curves of all runs into this .png file, or compare.png of this folder.",
        group="Output",
    )  # fmt: skip
    json: bool = option(False, "Print everything as JSON.", group="Output")


@dataclass(frozen=True)
class OutputOptions:
    """How something is shown."""

    json: bool = option(False, "Print it as JSON.", group="Output")


@dataclass(frozen=True)
class PushOptions:
    """How a run is shared."""

    private: bool = option(False, "Make a new repository private.", group="Hub")
    to: str = option(
        "", "Write the repository's files to this folder; nothing is sent.", group="Hub"
    )


@dataclass(frozen=True)
class PredictOptions:
    """What is predicted, and where to."""

    input: str = option(
        "",
        "File of texts: .txt (one a line), .csv, .tsv, .json, .jsonl, .parquet; a tagger also takes"
        " .conll, .conllu and lists of tokens, and gives them back with a column more; a forecaster"
        " takes a file of series.",
        group="Data",
    )
    text_column: str = option("", "Column of the texts. Empty: found by name.", group="Data")
    encoding: str = option("utf-8-sig", "Encoding of the input file.", group="Data")
    engine: str = engine_option("Machine", "everyday")
    threads: int = threads_option("Machine", "everyday")
    output: str = option(
        "",
        "Write records to this .csv, .json, .jsonl or .txt file (taggers: .conll, .conllu too).",
        group="Output",
    )
    escape_formulas: bool = option(
        False,
        "In a .csv output, put an apostrophe before text that a spreadsheet would run as formula.",
        group="Output",
    )
    json: bool = option(False, "Print records as JSON lines.", group="Output")
    n_best: int = option(
        0, "Also give this many of the likeliest tag sequences of each text (taggers).",
        low=0, high=100, group="Output",
    )  # fmt: skip
    explain: bool = option(
        False,
        "Show what each text's prediction looked at, where the model can say.",
        group="Output",
    )
