"""The sections that single tasks have, in a browser: they fit, and what is clicked is shown."""

import json

import pytest

from birnn.tasks.reporting.document import REPORT

from browser import browsing, opened, violations

CASES = [("tagging", "spans"), ("tagging", "raw"), ("forecast", "panel"), ("forecast", "wide"),
         ("regression", "table")]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with browsing() as started:
        yield started


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_it_fits_and_is_accessible(browser, finished, case):
    address = (finished(*case) / REPORT).as_uri()
    for width, dark in ((390, True), (1280, False)):
        with opened(browser, address, width=width, dark=dark, offline=True) as page:
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert not violations(page)


@pytest.mark.parametrize("variant", ["spans", "raw"])
def test_a_kind_of_error_filters_the_sentences(browser, finished, variant):
    run = finished("tagging", variant)
    with opened(browser, (run / REPORT).as_uri(), offline=True) as page:
        still = page.locator(".tagged li").count()
        buttons = page.locator(".sentences tbody th button")
        for number in range(buttons.count()):
            button = buttons.nth(number)
            row = button.locator("xpath=ancestor::tr")
            heads = page.locator(".sentences thead th").all_inner_texts()
            wanted = int(row.locator("th, td").nth(heads.index("sentences")).inner_text())
            button.click()
            assert button.get_attribute("aria-pressed") == "true"
            assert page.locator(".sentences .count").inner_text() == f"1 to {wanted} of {wanted}"
            assert page.locator(".tagged li").count() == wanted
            button.click()
        assert page.locator(".tagged li").count() == still
        page.locator(".sentences input").fill("no such word is here")
        assert page.locator(".tagged li").count() == 0


def test_sentences_are_the_same_with_and_without_scripts(browser, finished):
    address = (finished("tagging", "spans") / REPORT).as_uri()
    shown = []
    for scripts in (True, False):
        with opened(browser, address, java_script_enabled=scripts, offline=True) as page:
            shown.append(page.locator(".tagged").inner_text())
    assert shown[0] == shown[1]


def test_a_series_is_chosen_and_its_numbers_are_the_file_s(browser, finished):
    run = finished("forecast", "panel")
    with opened(browser, (run / REPORT).as_uri(), offline=True) as page:
        series = json.loads(page.locator(".series > .items").inner_text())["series"]
        names = page.locator(".which option").all_inner_texts()
        assert names == [line["name"] for line in series]
        page.locator("table.picks tbody button").last.click()
        assert page.locator(".which option:checked").inner_text() == names[-1]
        page.locator(".series .figures-of summary").click()
        page.locator(".figures-of tbody tr").first.wait_for()
        rows = page.locator(".figures-of tbody tr").all_inner_texts()
        mean = series[-1]["future"][1]
        assert [float(row.split("\t")[-5].replace(",", "")) for row in rows[-len(mean) :]] == (
            pytest.approx(mean, rel=1e-5))  # fmt: skip
        page.locator(".series .plot").focus()
        for key in ("Home", "+", "ArrowLeft", "-", "End"):
            page.keyboard.press(key)
        page.locator(".theme").click()
        assert page.locator(".series canvas").count() == 1


def test_a_picture_stands_in_for_the_chart_without_scripts(browser, finished):
    address = (finished("forecast", "wide") / REPORT).as_uri()
    with opened(browser, address, java_script_enabled=False, offline=True) as page:
        assert page.locator(".series .still svg").first.is_visible()
        assert not page.locator(".series .live").is_visible()
    with opened(browser, address, width=1280, offline=True) as page:
        assert not page.locator(".series .still").is_visible()
        assert page.locator(".series .live").is_visible()
        page.emulate_media(media="print")
        assert page.locator(".series .still svg").first.is_visible()
        assert not page.locator(".series .live").is_visible()
