"""The command line: options, TOML files and help."""

import dataclasses
import json
import os
import re
import subprocess
import sys
import tomllib
import typing
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.config import apply
from birnn.tasks import TASKS
from birnn.tasks.core.toml_text import write_toml
from birnn.terminal.command_options import (
    CompareOptions,
    EvaluateOptions,
    ExportOptions,
    OutputOptions,
    PredictOptions,
    PushOptions,
    RunOptions,
    inspect_options,
)
from birnn.terminal.option_parsing import parameters, read_toml
from birnn.terminal.text import CONTROL

from places import ROOT
from strategies import quick
from writers import TINY

# ------------------------------------------------------------------ options and TOML files


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--lerning-rate", "1"], ["--learning-rate"]),
        (["--epochs", "two"], ["--epochs"]),
        (["--epochs", "-1"], ["epochs", "at least 1"]),
        (["--learning-rate", "inf"], ["finite"]),
        (["--encoder", "bigruu"], ["'bigru'"]),
        (["--tokenizer", "socal"], ["'social'"]),
        (["--pooling", "max+men"], ["'mean'"]),
        (["--pooling", ""], ["pooling"]),
        (["--vectors", "glov.6B.50d"], ["'glove.6B.50d'"]),
        (["--vectors", "x" * 5000], []),
        (["--device", "cud"], ["device"]),
        (["--device", "cuda:99"], ["cuda:99"]),
        (["--monitor", "acuracy"], ["monitor"]),
        (["--seeds", "0"], ["seeds"]),
        (["--seed", "2147483647", "--seeds", "2"], ["seeds"]),
        (["--split-seed", "4294967296"], ["split_seed", "at most"]),
        (["--epochs", "99999999999"], ["epochs", "at most"]),
        (["--word-size", "0", "--gram-size", "0"], []),
        (["--hidden-size", "100000000"], []),
        (["--gram-buckets", "1000000000000"], []),
        (["--out", "x" * 300], []),
        (["surplus"], ["surplus"]),
    ],
)
def test_wrong_option_is_one_line(options, words, train, sentences_csv):
    line = train(sentences_csv, *options).refusal()
    assert all(word in line for word in words), line


def test_unknown_command_names_the_nearest(birnn):
    assert "'sentiment'" in birnn("sentimnt").refusal()


def test_tokenizer_of_a_missing_package_names_it(train, sentences_csv, monkeypatch):
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    line = train(sentences_csv, "--tokenizer", "moses").refusal()
    assert "sacremoses" in line


BAD_TOML = {
    "unknown key": ("lerning-rate = 1", "did you mean 'learning_rate'?"),
    "unknown key in a table": ("[training]\nepocs = 1", "did you mean 'epochs'?"),
    "text for a number": ("batch_size = 'x'", "whole number"),
    "fraction for a whole number": ("epochs = 1.5", "whole number"),
    "truth for a number": ("epochs = true", "whole number"),
    "number for truth": ("wide = 1", "true or false"),
    "list": ("epochs = [1]", "whole number"),
    "date": ("epochs = 2020-01-01", "whole number"),
    "not a number": ("learning_rate = nan", "finite"),
    "unknown choice": ("encoder = 'bigruu'", "did you mean 'bigru'?"),
    "out of bounds": ("seed = -1", "at least 0"),
    "twice": ("batch-size = 3\nbatch_size = 4", "twice"),
    "syntax": ("x = = 1", "TOML"),
    "too deep": ("x = " + "[" * 9999, "TOML"),
    "long number": ("epochs = " + "9" * 5000, ""),
    "NUL in a path": ('out = "a\\u0000b"', ""),
}


@pytest.mark.parametrize("case", BAD_TOML)
def test_wrong_toml_is_one_line(case, birnn, tmp_path, sentences_csv):
    text, word = BAD_TOML[case]
    (tmp_path / "c.toml").write_text(text)
    options = ["--data", sentences_csv, "--config", tmp_path / "c.toml", "--vectors", "none"]
    assert word in birnn("sentiment", *options).refusal()


def test_missing_toml_is_one_line(birnn, tmp_path):
    assert "nope.toml" in birnn("sentiment", "--config", tmp_path / "nope.toml").refusal()
    assert birnn("sentiment", "--config", tmp_path).refusal()


def test_toml_tables_count_and_the_command_line_wins(birnn, tmp_path, sentences_csv):
    text = (
        f"out = '{tmp_path / 'run'}'\nseed = 3\n[data]\ndata = '{sentences_csv}'\nvectors = 'none'"
        "\n[encoder]\nencoder = 'bilstm'\nhidden-size = 4\n[a.b]\nepochs = 3\nlearning_rate = 1\n"
    )
    (tmp_path / "c.toml").write_text(text)
    assert birnn("sentiment", "--config", tmp_path / "c.toml", "--epochs", 1).code == 0
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["encoder"]["encoder"] == "bilstm"
    assert config["encoder"]["hidden_size"] == 4
    assert config["train"]["epochs"] == 1
    assert config["train"]["seed"] == 3
    assert config["train"]["learning_rate"] == 1.0


def test_default_given_on_the_command_line_overrides_toml(birnn, tmp_path, trained):
    (tmp_path / "c.toml").write_text("json = true\n")
    shown = birnn("predict", trained, "x", "--config", tmp_path / "c.toml")
    assert json.loads(shown.out)["text"] == "x"
    shown = birnn("predict", trained, "x", "--config", tmp_path / "c.toml", "--no-json")
    assert not shown.out.startswith("{")


# ------------------------------------------------------------------ the real process

HEAVY = ("torch", "datasets", "sklearn", "numpy", "pandas", "torchtext", "matplotlib")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["sentiment", "--help"], ["forecast", "--help-all"], ["--version"]]
)
def test_help_is_light(arguments):
    code = (
        f"import sys, cli\nassert cli.main({arguments!r}) == 0\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stderr.strip() == "[]"
    assert done.stdout.strip()


def test_no_argument_shows_the_help(birnn):
    assert "sentiment" in birnn().out


COMMANDS = [*TASKS, "inspect", "evaluate", "compare", "predict", "push", "export"]
FLAG = re.compile(r"--[a-z][\w-]*")
ENTRY = re.compile(r"^│ (--[a-z][\w-]*)", re.MULTILINE)


def option_lists(command):
    """The configurations whose fields are the options of a command."""
    if command in TASKS:
        return [TASKS[command].part("options")(), RunOptions()]
    return {
        "inspect": [inspect_options(), OutputOptions()],
        "evaluate": [EvaluateOptions()],
        "compare": [CompareOptions()],
        "predict": [PredictOptions()],
        "push": [PushOptions()],
        "export": [ExportOptions()],
    }[command]


def declared(command):
    return [part for config in option_lists(command) for part in parameters(config)]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_help(birnn, command):
    shown = birnn(command, "--help-all")
    assert shown.code == 0
    for parameter in declared(command):
        option = parameter.annotation.__metadata__[0]
        assert option.help[0].isupper(), parameter.name
        assert "." in option.help, parameter.name
        assert "One of" not in option.help
        flag = "--" + parameter.name.rstrip("_").replace("_", "-")  # from_: a word of Python's
        assert re.search(rf"^│ {flag} ", shown.out, re.MULTILINE), flag
        switch = parameter.annotation.__origin__ in (bool, bool | None)
        assert switch == (f" --no-{flag[2:]} " in shown.out)
    assert "more: --help-all" not in shown.out


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("plain", [False, True])
def test_help_shows_the_everyday_options_and_counts_the_others(command, plain, monkeypatch):
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    environment |= {"BIRNN_PLAIN_HELP": "1"} if plain else {}
    words = [sys.executable, str(ROOT / "cli.py"), command]
    run = partial(subprocess.run, capture_output=True, text=True, env=environment, check=True)
    short, full = (run([*words, flag]).stdout for flag in ("--help", "--help-all"))
    assert max(map(len, (short + full).splitlines())) <= 80
    assert "\x1b" not in short + full
    assert ("│" in short) != plain
    entry = re.compile(r"^  (--[a-z][\w-]*)", re.MULTILINE) if plain else ENTRY
    everyday, every = entry.findall(short), entry.findall(full)
    assert len(set(every)) == len(every)
    assert set(everyday) <= set(every)
    hidden = len(every) - len(everyday)
    assert sum(map(int, re.findall(r"(\d+) more: --help-all", short))) == hidden
    assert ("--help-all" in everyday) == (hidden > 0)
    assert len(set(everyday) - {"--help", "--help-all"}) <= 20
    if command in TASKS:
        wanted = "data encoder hidden-size layers epochs batch-size learning-rate device seed"
        wanted += " seeds out resume overwrite config show-config"
        assert {f"--{name}" for name in wanted.split()} <= set(everyday)
        assert hidden > 15


def test_help_shows_choices_booleans_and_defaults_compactly(birnn, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    text = birnn("sentiment", "--help-all").out
    lines = [" ".join(line.strip("│ ").split()) for line in text.splitlines()]
    assert "--encoder [bigru|bilstm] The recurrent cell to train. [default: bigru]" in lines
    assert any(line.startswith("--wide --no-wide Add a linear model") for line in lines)
    assert "<bool>" not in text
    assert "[default: on]" in text
    choices = [
        "[social|",
        "basic_english|",
        "whitespace|spacy|",
        "moses|toktok|",
        "revtok|subword]",
    ]
    first = next(i for i, line in enumerate(lines) if line.startswith("--tokenizer"))
    for line, part in zip(lines[first:], choices, strict=False):
        assert part in line


# ------------------------------------------------------------------ the options as TOML


def values_of(name, hint, metadata):
    """Values that an option takes, the odd ones too."""
    low, high = metadata["low"], metadata["high"]
    if metadata["choices"]:
        return st.sampled_from(metadata["choices"])
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(int(low or 0), int(high or 2**40))
    if hint is str:
        return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    if hint in (bool | None, int | None):
        (kind, _) = typing.get_args(hint)
        return st.none() | values_of(name, kind, metadata)
    numbers = st.floats(low, high, allow_nan=False, allow_infinity=False)
    return numbers if hint is float else st.none() | numbers


def flat_values(config):
    """Flat options that ``config`` can be given."""
    hints, parts = typing.get_type_hints(type(config)), {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            parts |= flat_values(value)
        else:
            parts[field.name] = values_of(field.name, hints[field.name], field.metadata)
    return parts


@pytest.mark.parametrize("task", TASKS)
@quick
@given(data=st.data())
def test_options_read_back_as_they_were_written(task, data, tmp_path_factory):
    configs = {"config": TASKS[task].part("options")(), "run": RunOptions()}
    parts = {**flat_values(configs["config"]), **flat_values(configs["run"])}
    values = data.draw(st.fixed_dictionaries({}, optional=parts))
    chosen = {name: apply(config, values) for name, config in configs.items()}
    path = tmp_path_factory.getbasetemp() / f"{task}.toml"
    path.write_text(text := write_toml(chosen), encoding="utf-8", newline="")
    again = read_toml(path, configs)
    assert {name: apply(config, again) for name, config in configs.items()} == chosen
    assert not CONTROL.search(text.replace("\n", ""))


def test_text_that_is_not_unicode_has_no_toml(birnn):
    assert "data" in birnn("sentiment", "--data", "caf\udce9", "--show-config").refusal()


@pytest.mark.parametrize("task", TASKS)
def test_show_config_prints_what_config_reads_and_does_nothing(task, birnn, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("birnn.terminal.views.run_training.run_training", None)
    options = ["--epochs", "3", "--hidden-size", "7", "--out", 'a "b" \\', "--seeds", "2"]
    shown = birnn(task, "no/such/file.csv", *options, "--overwrite", "--show-config")
    assert (shown.code, shown.err) == (0, "")
    written = tomllib.loads(shown.out)
    assert written["data"]["data"] == "no/such/file.csv"
    assert written["encoder"]["hidden_size"] == 7
    usual = {"resume": "", "estimate": False, "largest_batch": False, "jobs": 1, "ensemble": False}
    assert written["run"] == {"out": 'a "b" \\', "overwrite": True, "seeds": 2, **usual}
    assert not list(tmp_path.iterdir())
    (tmp_path / "c.toml").write_text(shown.out)
    assert birnn(task, "--config", "c.toml", "--show-config").out == shown.out
    more = birnn(task, "--config", "c.toml", "--epochs", "4", "--show-config").out
    assert more == shown.out.replace("epochs = 3\n", "epochs = 4\n", 1)


def test_show_config_refuses_what_is_out_of_bounds(birnn):
    assert "at least 1" in birnn("sentiment", "--epochs", "0", "--show-config").refusal()


def test_show_config_of_a_begun_run_is_how_it_began(birnn, tmp_path, sentences_csv, monkeypatch):
    out = tmp_path / "run"

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    begun = ["--out", out, *TINY, "--epochs", "1", "--seeds", "2", "--keep-checkpoints", "3"]
    with monkeypatch.context() as patch:
        patch.setattr("birnn.tasks.runs.member.make_report", interrupted)
        assert birnn("sentiment", sentences_csv, *begun).code == 130
    shown = birnn("sentiment", "--resume", out, "--show-config")
    assert (shown.code, shown.err) == (0, "")
    written = tomllib.loads(shown.out)
    assert written["data"]["data"] == str(sentences_csv)
    assert written["encoder"]["hidden_size"] == 8
    assert (written["run"]["seeds"], written["keep"]["keep_checkpoints"]) == (2, 3)
    assert written["run"]["resume"] == str(out)
    (tmp_path / "c.toml").write_text(shown.out)
    again = birnn("sentiment", "--config", tmp_path / "c.toml", "--show-config")
    assert again.out == shown.out
    assert "regression" not in birnn("sentiment", "--resume", out, "--show-config").err
    assert "is a run of sentiment" in birnn("tagging", "--resume", out, "--show-config").refusal()


def test_show_config_of_a_complete_run_says_where_it_is(birnn, trained):
    assert "config.json" in birnn("sentiment", "--resume", trained, "--show-config").refusal()
