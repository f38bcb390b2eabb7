"""``birnn report``: what it writes, where it writes it, and what it refuses."""

import html
import json
import re
import shutil
from html.parser import HTMLParser

import pytest

MARKUP = '</script><img src=x onerror="document.title=1">'
TEMPLATE_SCRIPTS = 2  # at least: the numbers as JSON, and the report's own


class Elements(HTMLParser):
    """Names and attributes of all elements, and the text of scripts."""

    def __init__(self):
        super().__init__()
        self.found, self.scripts, self.inside = [], [], False

    def handle_starttag(self, tag, attrs):
        """An element begins."""
        self.found.append((tag, dict(attrs)))
        self.inside = tag == "script"
        if self.inside:
            self.scripts.append("")

    def handle_endtag(self, tag):
        """It ends."""
        self.inside = False

    def handle_data(self, data):
        """Its text."""
        if self.inside:
            self.scripts[-1] += data


def parsed(path):
    elements = Elements()
    elements.feed(path.read_text(encoding="utf-8"))
    return elements


def numbers(path):
    text = re.search(r'id="numbers">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)
    return json.loads(text[1])


def test_training_leaves_a_report_that_can_be_made_again(birnn, trained, tmp_path):
    copy = shutil.copytree(trained, tmp_path / trained.name)  # the run's name stands in it
    (copy / "report.html").unlink()
    outcome = birnn("report", copy)
    assert outcome.code == 0
    assert "report.html" in outcome.out
    assert (copy / "report.html").read_bytes() == (trained / "report.html").read_bytes()


def test_the_numbers_in_the_report_are_those_of_the_run(trained):
    held = numbers(trained / "report.html")
    metrics = json.loads((trained / "metrics.json").read_text())
    assert held["metrics"] == metrics
    gold, shares = held["test"]["gold"], held["test"]["shares"]
    right = [max(range(len(s)), key=s.__getitem__) == g for g, s in zip(gold, shares, strict=True)]
    assert sum(right) / len(right) == pytest.approx(metrics["test"]["model"]["accuracy"]["value"])


def test_the_report_asks_nothing_of_the_world(trained):
    text = (trained / "report.html").read_text(encoding="utf-8")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-"
    assert policy in html.unescape(text)
    for tag, attributes in parsed(trained / "report.html").found:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form", "img")
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("href", "src"):
                assert value.startswith("#")


def test_every_script_of_the_report_is_named_in_its_policy(trained):
    from birnn.tasks.pages.assets import content_hash

    text = (trained / "report.html").read_text(encoding="utf-8")
    policy = html.unescape(re.search(r'Policy" content="([^"]+)"', text)[1])
    elements = parsed(trained / "report.html")
    kinds = [attrs.get("type") for tag, attrs in elements.found if tag == "script"]
    assert len(kinds) >= TEMPLATE_SCRIPTS
    for kind, script in zip(kinds, elements.scripts, strict=True):
        if kind != "application/json":
            assert content_hash(script) in policy


def test_words_of_a_stranger_are_text(birnn, tmp_path):
    """Labels and texts with markup make no element and no attribute."""
    from writers import TINY, sentences, write_table

    plain = sentences(60)
    rows = [(f"{MARKUP} {text}", f"{label} {MARKUP}") for text, label in plain]
    shapes = []
    for name, table in (("plain", plain), ("hostile", rows)):
        out = tmp_path / name
        data = write_table(tmp_path / f"{name}.csv", table)
        assert birnn("sentiment", "--data", data, "--out", out, *TINY).code == 0
        elements = parsed(out / "report.html")
        shapes.append({(tag, *sorted(attributes)) for tag, attributes in elements.found})
        assert len([tag for tag, _ in elements.found if tag == "script"]) > TEMPLATE_SCRIPTS
    assert shapes[1] <= shapes[0] | {("span", "style")}
    assert numbers(tmp_path / "hostile/report.html")["test"]["labels"][0].endswith(MARKUP)


def test_a_report_goes_where_it_is_told(birnn, trained, tmp_path):
    out = tmp_path / "r.html"
    assert birnn("report", trained, "--out", out).code == 0
    assert birnn("report", trained, "--out", out).code == 0  # ours: replaced
    out.write_text("<p>mine</p>")
    outcome = birnn("report", trained, "--out", out)
    assert outcome.code == 2
    assert "--overwrite" in outcome.err
    assert out.read_text() == "<p>mine</p>"
    assert birnn("report", trained, "--out", out, "--overwrite").code == 0


@pytest.mark.parametrize("name", ["x.txt", "metrics.json"])
def test_a_report_is_html(birnn, run_copy, name):
    before = {path.name: path.read_bytes() for path in run_copy.iterdir()}
    outcome = birnn("report", run_copy, "--out", run_copy / name)
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    assert {path.name: path.read_bytes() for path in run_copy.iterdir()} == before


DAMAGE = {
    "metrics.json": ["{}", "[]", "null", '{"train": {}}', '{"train": {"seed": 0}, "test": 3}'],
    "history.csv": ["", "epoch\n", "a,b\n1,2\n", "epoch,loss\n1,x\n"],
    "report.json": ["[]", '{"lengths": 3}', "{}", '{"attention": [1]}'],
    "predictions.csv": [
        "",
        "text,gold\n",
        "text,gold,label,p_bad,p_good\n",
        "text,gold,label,p_bad,p_good\nx,good,good,0,1\n",
        "text,gold,label,p_bad,p_good\nx,good,good,2,3\n",
    ],
}


CASES = [(name, text) for name, texts in DAMAGE.items() for text in texts]


@pytest.mark.parametrize(("name", "content"), CASES)
def test_a_damaged_run_ends_in_one_line(birnn, run_copy, name, content):
    (run_copy / name).write_text(content)
    (run_copy / "report.html").unlink()
    outcome = birnn("report", run_copy)
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    assert "Traceback" not in outcome.err
    assert not (run_copy / "report.html").exists()


def test_a_run_of_an_older_version_has_a_report_too(birnn, run_copy):
    (run_copy / "report.json").unlink()
    assert birnn("report", run_copy).code == 0
    assert "Where it is right" in (run_copy / "report.html").read_text(encoding="utf-8")


def test_push_leaves_the_report_out_unless_asked(birnn, trained, tmp_path):
    for number, options in enumerate(([], ["--report"])):
        to = tmp_path / str(number)
        assert birnn("push", trained, "me/run", "--to", to, *options).code == 0
        assert (to / "report.html").is_file() == bool(options)
        assert not (to / "report.json").exists()


PARTS = {
    "lengths": [3, {"counts": 3}, {"counts": {"train": "x"}}],
    "items": [3, {"words": "x"}, {"row": 7}, {"unseen": {}}],
    "attention": [[1], {"0": 3}, {"0": [["x"]]}],
    "moved": [[1], {"x": {}}, {"0": {}}, {"99999": {"words": [], "completeness": ""}}],
    "environment": [3, [1]],
    "baselines": [3, []],
    "warnings": [3],
}
BENT = [(name, value) for name, values in PARTS.items() for value in values]


@pytest.mark.parametrize(("name", "value"), BENT)
def test_a_bent_part_ends_in_one_line_or_in_a_report(birnn, run_copy, name, value):
    extras = json.loads((run_copy / "report.json").read_text())
    (run_copy / "report.json").write_text(json.dumps(extras | {name: value}))
    (run_copy / "report.html").unlink()
    outcome = birnn("report", run_copy)
    assert outcome.code in (0, 2)
    assert (run_copy / "report.html").exists() == (outcome.code == 0)
    if outcome.code:
        assert len(outcome.err.splitlines()) == 1
        assert str(run_copy) in outcome.err


def test_a_report_goes_through_no_link(birnn, run_copy, tmp_path):
    target = tmp_path / "elsewhere.html"
    (run_copy / "report.html").replace(target)
    (run_copy / "report.html").symlink_to(target)
    before = target.read_bytes()
    outcome = birnn("report", run_copy)
    assert outcome.code == 2
    assert "--out" in outcome.err
    assert target.read_bytes() == before
