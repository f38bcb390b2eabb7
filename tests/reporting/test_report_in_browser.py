"""The report in a browser: from a file, without a network, with and without scripts."""

import json

import pytest

from browser import SIZES, browsing, opened, violations


@pytest.fixture(scope="module")
def browser():
    with browsing() as started:
        yield started


def address(run):
    return (run / "report.html").as_uri()


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_is_accessible(browser, trained, width, dark):
    with opened(browser, address(trained), width=width, dark=dark, offline=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert not violations(page)


def test_it_can_be_read_without_scripts(browser, trained):
    options = {"java_script_enabled": False, "offline": True}
    metrics = json.loads((trained / "metrics.json").read_text())
    with opened(browser, address(trained), **options) as page:
        assert page.locator("h1").inner_text().replace("\xa0", " ") == metrics["verdict"]
        for name in ("verdict", "data", "results", "mistakes", "training", "repeat"):
            assert page.locator(f"section#{name}").is_visible()
        assert not page.locator(".slider").first.is_visible()
        assert not page.locator(".theme").is_visible()


def test_the_scores_shown_are_those_of_the_run(browser, trained):
    score = json.loads((trained / "metrics.json").read_text())["test"]["model"]["accuracy"]
    with opened(browser, address(trained)) as page:
        first = page.locator(".figures div").first.inner_text()
        assert f"{score['value'] * 100:.1f}" in first
        assert f"{score['low'] * 100:.1f} to {score['high'] * 100:.1f}" in first


def test_the_threshold_reads_off_the_scores_at_it(browser, trained):
    with opened(browser, address(trained)) as page:
        held = json.loads(page.locator("#numbers").inner_text())["test"]
        page.locator(".slider input").evaluate(
            "(e) => { e.value = 70; e.dispatchEvent(new Event('input')); }"
        )
        said = [share[1] >= 0.7 for share in held["shares"]]
        right = sum(s and g == 1 for s, g in zip(said, held["gold"], strict=True))
        shown = page.locator(".slider dd").all_inner_texts()
        precision = f"{100 * right / sum(said):.1f} %" if any(said) else "–"
        assert shown[:2] == [precision, f"{100 * right / sum(held['gold']):.1f} %"]
        assert page.locator(".slider output").inner_text() == "70 %"


def test_mistakes_are_searched_and_paged(browser, run_copy, birnn):
    path = run_copy / "predictions.csv"
    head, *rows = path.read_text().splitlines()
    many = [f"word{n} {row}" for n, row in enumerate(rows * 12)]
    path.write_text("\n".join([head, *many]) + "\n")
    metrics = json.loads((run_copy / "metrics.json").read_text())
    confusion = metrics["details"]["confusion"]
    metrics["details"]["confusion"] = [[12 * count for count in row] for row in confusion]
    (run_copy / "metrics.json").write_text(json.dumps(metrics))
    (run_copy / "report.json").unlink()
    assert birnn("report", run_copy).code == 0
    with opened(browser, address(run_copy)) as page:
        block = page.locator(".examples")
        total = len(json.loads(block.locator(".items").inner_text())["rows"])
        if not total:
            pytest.skip("this run makes no mistake")
        assert f"of {total}" in block.locator(".count").inner_text()
        word = block.locator("tbody .words").first.inner_text().split()[0]
        block.locator("input").fill(word.upper())
        found = block.locator("tbody tr").count()
        assert 1 <= found <= total
        block.locator("input").fill("nowhere at all")
        assert block.locator("tbody tr").count() == 0
        assert block.locator(".count").inner_text() == "none"


def test_light_and_dark_can_be_chosen(browser, trained):
    with opened(browser, address(trained)) as page:
        shade = "getComputedStyle(document.body).backgroundColor"
        before = page.evaluate(shade)
        page.locator(".theme").click()
        assert page.evaluate(shade) != before
        page.locator(".theme").click()
        assert page.evaluate(shade) == before


def test_a_table_sorts_by_its_heading(browser, trained):
    with opened(browser, address(trained)) as page:
        table = page.locator("table.sortable").first
        table.locator("th button").nth(1).click()
        cells = [float(c) for c in table.locator("tbody tr td:nth-child(2)").all_inner_texts()]
        assert cells == sorted(cells, reverse=True)
        assert table.locator("th[aria-sort=descending]").count() == 1


def test_numbers_stand_beside_the_cursor(browser, trained):
    with opened(browser, address(trained)) as page:
        chart = page.locator("#training .chart").first
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
        assert "seed 0" in chart.locator(".tip").inner_text()
        page.mouse.move(1, 1)
        assert chart.locator(".tip").count() == 0
