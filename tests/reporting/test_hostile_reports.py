"""Names, labels and texts of strangers in a report: always words, never elements."""

import csv
import json
import re
import shutil
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from report_pages import Page, read

from birnn.tasks.pages import figures
from birnn.tasks.reporting.document import REPORT, render_report
from birnn.tasks.reporting.inputs import read_run_files

from places import ROOT

PAYLOADS = (
    "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "\"><svg onload='a()'>",
    "<!--<script>", "--></p></td></table>", "]]><b>&lt;i&gt;&amp;", "{{ 7 * 7 }}{% raw %}",
    "' style='position:fixed' x='", "javascript:alert(1)", "\u202egnp.exe\u2028\u2029\x07", "$x^2$",
    "<a href=\"javascript:x\">", "&#60;b&#62;", "\\u003cb>", "${x}`", "O", "x\r\n\ty", "𝕏\ufffe",
)  # fmt: skip
hostile = st.sampled_from(PAYLOADS) | st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("<>&\"'`/={}$"),
    min_size=1, max_size=20,
)  # fmt: skip
# What of the tiny runs is a user's: names of labels, words, series and columns.
NAMES = {
    ("tagging", "spans"): ("per", "Ada", "Bo", "the"),
    ("tagging", "raw"): ("DET", "NOUN", "VERB", "the"),
    ("forecast", "panel"): ("s0", "s1", "s2"),
    ("forecast", "wide"): ("north", "south"),
    ("regression", "table"): ("a", "b"),
    ("sentiment", "plain"): None,  # its labels, below
}


@cache
def classes():
    """Words of the style sheets and the templates, of which names of classes are made."""
    static, templates = ROOT / "tasks" / "reporting" / "static", ROOT / "tasks" / "reporting"
    files = [*static.glob("*.css"), *templates.glob("templates/**/*.html")]
    return set(re.findall(r"[\w-]+", "".join(file.read_text() for file in files)))


@cache
def labels(run):
    return tuple(json.loads((run / "metrics.json").read_text())["details"]["labels"])


def spoiled(value, names):
    """JSON with other names in place of some, as they are or as the type of a tag."""
    if isinstance(value, dict):
        return {spoiled(key, names): spoiled(part, names) for key, part in value.items()}
    if isinstance(value, list):
        return [spoiled(part, names) for part in value]
    if not isinstance(value, str):
        return value
    prefix, kind = re.fullmatch(r"([BIES]-|p_|)(.*)", value, re.DOTALL).groups()
    return prefix + names[kind] if kind in names else value


FILES = ("metrics.json", "report.json", "labels.json", "vocabulary.json", "series.json")
FREE = ("source", "verdict")  # text of the run that holds names


def spoil(run, copy, names, word):
    """A copy of a run in which a stranger has named everything."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(run, copy)
    for name in FILES:
        if not (copy / name).is_file():
            continue
        found = json.loads((copy / name).read_text())
        if name == "metrics.json":
            details = found["details"]
            found = {**spoiled(found, names), "verdict": word, "task": found["task"]}
            found["data"] |= {"source": word, "splits": [word], "notes": [word]}
            found["test"] = json.loads((run / name).read_text())["test"]
            found["details"] = spoiled(details, names)
        elif name == "report.json":
            told = {"command": word, "warnings": [word], "environment": {word: word}}
            known = dict.fromkeys(found["baselines"], word)
            found = {**spoiled(found, names), **told, "baselines": known}
        else:
            found = spoiled(found, names)
        (copy / name).write_text(json.dumps(found))
    for name in ("predictions.csv", "forecast.csv"):
        if (copy / name).is_file():
            with (copy / name).open(newline="") as file:
                rows = [spoiled(row, names) for row in csv.reader(file)]
            with (copy / name).open("w", newline="\n", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
    return copy


def rendered(folder, word):
    config = json.loads((folder / "config.json").read_text())
    return render_report(read_run_files(folder, config, word), f"# {word}")


def check(run, tmp_path, words):
    task, variant = run
    folder, kept = task
    names = variant or labels(folder)
    told = [f"{word}{place}" for place, word in enumerate(words)]  # each another
    renamed = dict(zip(names, told, strict=False))
    if renamed.keys() != set(names):
        renamed |= {name: f"{told[0]}{k}" for k, name in enumerate(names) if name not in renamed}
    text = rendered(spoil(folder, tmp_path / "spoiled", renamed, words[0]), words[0])
    page = Page(text)
    assert page.elements <= kept.elements
    picture = re.compile("f[0-9a-f]{8}-")  # of names within one, which are of its own contents
    values = {(n, v) for n, v in page.values if n != "class" and not picture.match(v.lstrip("#"))}
    assert values <= kept.values
    assert {word for n, v in page.values if n == "class" for word in v.split()} <= classes()
    assert page.scripts == kept.scripts
    # The browser's own reading: nothing else runs, nothing is asked for.
    assert text.count("<script") == text.count("</script>")
    assert page.numbers["metrics"]["verdict"] == words[0]


@pytest.fixture(params=NAMES, ids="-".join)
def run(request, finished):
    folder = finished(*request.param)
    return (folder, read(folder / REPORT)), NAMES[request.param]


@pytest.mark.parametrize("at", range(0, len(PAYLOADS), 6))
def test_markup_in_names_is_text(run, tmp_path, at):
    check(run, tmp_path, PAYLOADS[at : at + 6])


@settings(
    max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate],  # to shrink takes long
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(words=st.lists(hostile, min_size=4, max_size=4))
def test_any_name_is_text(run, tmp_path, monkeypatch, words):
    """Pictures, which take long, have tests of their own: they are drawn once here."""
    drawn = cache(lambda: figures.draw(figures.LineChart([figures.Line("a", [1, 2], [1, 2])]), "a"))
    for module in ("training_section", "data_section", "certainty"):
        monkeypatch.setattr(f"birnn.tasks.reporting.{module}.draw", lambda *_: drawn())
    for module in ("forecast.report.sections", "regression.report_sections"):
        monkeypatch.setattr(f"birnn.tasks.{module}.draw", lambda *_: drawn())
    check(run, tmp_path, words)
