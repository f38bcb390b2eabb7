"""The options of commands, but for those of tasks; light to import, so that help shows at once."""

from dataclasses import dataclass, field
from functools import partial

from birnn.config import device_option, engine_option, option, threads_option
from birnn.data.tables.dialect import TableOptions
from birnn.training.checkpoint_options import CheckpointConfig

of_run, of_data, of_output = (partial(option, group=name) for name in ("Run", "Data", "Output"))


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
    resume: str = of_run(
        "", "Go on with this unfinished run, from its newest checkpoint, as it began."
    )
    keep: CheckpointConfig = field(default_factory=CheckpointConfig)


@dataclass(frozen=True)
class EvaluateOptions:
    """What a run is evaluated on."""

    data: str = of_data("", "Labelled data, as for training. Empty: the run's own data.")
    split: str = of_data("test", "Split to score: train, validation or test.")
    table: TableOptions = field(default_factory=TableOptions)
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
class PushOptions:
    """How a run is shared."""

    private: bool = option(False, "Make a new repository private.", group="Hub")
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
        " takes a file of series.",
    )
    text_column: str = of_data("", "Column of the texts. Empty: found by name.")
    encoding: str = of_data("utf-8-sig", "Encoding of the input file.")
    table: TableOptions = field(default_factory=TableOptions)
    device: str = device_option("Machine", "cpu")
    engine: str = engine_option("Machine", "everyday")
    threads: int = threads_option("Machine", "everyday")
    output: str = of_output(
        "", "Write records to this .csv, .json, .jsonl or .txt file (taggers: .conll, .conllu too)."
    )
    escape_formulas: bool = of_output(
        False,
        "In a .csv output, put an apostrophe before text that a spreadsheet would run as formula.",
    )
    json: bool = of_output(False, "Print records as JSON lines.")
    n_best: int = of_output(
        0, "Also give this many of the likeliest tag sequences of each text (taggers).",
        low=0, high=100,
    )  # fmt: skip
    explain: bool = of_output(
        False, "Show what each text's prediction looked at, where the model can say."
    )
