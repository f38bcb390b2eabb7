"""The options of ``tune``, beside those of a task; light to import, so that help shows at once."""

from dataclasses import dataclass
from functools import partial

from birnn.config import LARGEST_SEED, option

of_study, of_trial = (partial(option, group=name) for name in ("Study", "Trials"))


@dataclass(frozen=True)
class TuneOptions:
    """How long is searched, where the study lies, and what a trial may cost."""

    trials: int = of_study(
        0, "Trials of the study, all workers together; what is there already counts. 0: 30, or as"
        " many as --minutes allow.",
        low=0, high=100_000,
    )  # fmt: skip
    minutes: float = of_study(
        0.0, "Minutes that this worker works, the confirmation too. 0: until all trials are done.",
        low=0,
    )  # fmt: skip
    out: str = of_study("", "Folder of the study. Empty: runs/tune-TASK.")
    storage: str = of_study(
        "", "Where the study is kept: a URL (sqlite:///FILE, postgresql://USER@HOST/NAME), or a"
        " journal file. Empty: journal.log in --out.",
    )  # fmt: skip
    study: str = of_study("", "Name of the study in its storage. Empty: that of --out's folder.")
    search: str = of_study(
        "", "Options to search beside or instead of a task's own, with ; between them:"
        " \"learning_rate=1e-4..1e-2:log; hidden_size=64..256:64; encoder=bigru,bilstm\".",
    )  # fmt: skip
    only: bool = of_study(False, "Search the options of --search and no others.", level="advanced")
    keep: str = of_study("", "Options to leave at their defaults, with commas.", level="advanced")
    sampler_seed: int = of_study(
        0, "Seed of what is tried.", low=0, high=LARGEST_SEED, level="advanced"
    )
    startup: int = of_study(
        8, "Trials drawn around the default before others guide the search.", low=1, high=1000,
        level="advanced",
    )  # fmt: skip
    tune_seeds: int = of_trial(
        1, "Seeds of a trial, whose mean is its score.", low=1, high=100, level="advanced"
    )
    trial_members: int = of_trial(
        1, "Networks of a trial, where the task itself says how many a run averages; 0: as many as"
        " a run.",
        low=0, high=16, level="advanced",
    )  # fmt: skip
    pruner: str = of_trial(
        "median", "What ends a hopeless trial early: an epoch that is worse than the median of the"
        " trials that went to their end, successive halving (asha), or nothing.",
        choices=("median", "asha", "none"),
    )  # fmt: skip
    trial_minutes: float = of_trial(
        0.0, "Minutes that a trial may take; then it has failed. 0: no limit.", low=0
    )
    trial_memory: float = of_trial(
        0.0, "Gigabytes of memory that a trial may take; then it has failed. 0: four fifths of the"
        " machine's.",
        low=0,
    )  # fmt: skip
    finalists: int = of_trial(
        2, "Best trials that are trained again beside the default before one is named.", low=1,
        high=20, level="advanced",
    )  # fmt: skip
    confirm: int = of_trial(
        2, "Further seeds of each finalist and of the default. 0: the best trial is named at once.",
        low=0, high=100,
    )  # fmt: skip
    train: bool = option(
        False, "Train what was found, with fresh seeds, in the folder best of the study.",
        group="Afterwards",
    )  # fmt: skip
    seeds: int = option(1, "Seeds of --train.", low=1, high=1000, group="Afterwards")
    show_space: bool = option(False, "Print what would be searched, and stop.", group="Output")
    json: bool = option(False, "Print what was found as JSON.", group="Output")
