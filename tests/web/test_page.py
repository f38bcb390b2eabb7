"""The page in a browser: what it shows is what the API answers, and a stranger's words are text."""

import contextlib
import json
import os
import shutil
from pathlib import Path

import pytest

from browser import SIZES, browsing, gone, opened, violations
from served import ALL, named, serving

TEXT = "Ada met Bo and the film was warm"
MARKUP = '<img src=x onerror="document.title=1">'


@pytest.fixture(scope="module")
def browser():
    with browsing() as started:
        yield started


@pytest.fixture
def page(browser, server):
    with opened(browser, server.address) as shown:
        shown.wait_for_selector("#text-part:not([hidden])")
        yield shown


def card(page, task):
    """The card of a run's answer."""
    return page.locator(f"[aria-label='Answer of {named(task)}']:visible")


def shares(page):
    """Class → what its bar says."""
    rows = card(page, "sentiment").locator(".bars tr").all()
    return {row.locator("th").inner_text(): row.locator("td").last.inner_text() for row in rows}


def percent(share):
    """As the page writes it."""
    points = 100 * share
    small = 0 < points < 9.95 or 90.05 < points < 99.995
    return f"{points:.1f} %" if small else f"{points:.0f} %"


def test_a_text_is_answered_as_it_is_typed(page, server):
    page.locator("#text").press_sequentially(TEXT, delay=5)
    card(page, "sentiment").locator(".bars").wait_for()
    gone(page, "[data-waiting]")
    (record,) = server.records({"run": named("sentiment"), "text": TEXT})
    assert shares(page) == {k: percent(v) for k, v in record["probabilities"].items()}
    assert card(page, "sentiment").locator(".answer").inner_text().startswith(record["label"])
    (record,) = server.records({"run": named("tagging"), "text": TEXT})
    marks = [mark.inner_text() for mark in card(page, "tagging").locator("mark").all()]
    wanted = [f"{s['text']}{s['label']} {percent(s['confidence'])}" for s in record["spans"]]
    assert marks == wanted
    assert card(page, "tagging").locator(".sentence").inner_text().startswith(("Ada", "the"))


def test_places_count_characters_as_python_does(page, server):
    text = "🙂🙂 Ada met Bo"
    page.fill("#text", text)
    card(page, "tagging").locator("mark").first.wait_for()
    (record,) = server.records({"run": named("tagging"), "text": text})
    found = [mark.inner_text() for mark in card(page, "tagging").locator("mark").all()]
    assert [mark.split(span["label"])[0] for mark, span in zip(found, record["spans"], strict=True)
            ] == [span["text"] for span in record["spans"]]  # fmt: skip


def test_an_answer_that_comes_late_is_dropped(page, server):
    """The first question's answer is held back until the second one's has been shown."""
    held = []
    page.route("**/v1/predict", lambda route: held.append(route) if not held else route.continue_())
    page.click(f"#text-runs button:has-text('{named('tagging')}')")
    page.fill("#text", "cold and dull")
    page.wait_for_timeout(400)
    assert held
    page.fill("#text", "warm and bright")
    card(page, "sentiment").locator(".bars").wait_for()
    before = shares(page)
    with contextlib.suppress(Exception):  # the page has left the question
        late = {"records": [{"label": "bad", "probabilities": {"bad": 1}}]}
        held[0].fulfill(body=json.dumps(late))
    page.wait_for_timeout(300)
    assert shares(page) == before
    (record,) = server.records({"run": named("sentiment"), "text": "warm and bright"})
    assert before == {k: percent(v) for k, v in record["probabilities"].items()}


def test_a_word_is_hidden_and_shown_again(page, server):
    page.fill("#text", "the film was cold and warm")
    card(page, "sentiment").locator(".bars").wait_for()
    whole = shares(page)
    word = page.locator("#words button", has_text="cold")
    word.focus()
    page.keyboard.press("Space")
    card(page, "sentiment").locator(".bar b").first.wait_for()
    assert page.locator("#words button", has_text="cold").get_attribute("aria-pressed") == "true"
    assert page.evaluate("document.activeElement.textContent") == "cold"
    (record,) = server.records({"run": named("sentiment"), "text": "the film was and warm"})
    share = record["probabilities"][record["label"]]
    assert shares(page)[record["label"]].startswith(percent(share))
    page.click("text=show all again")
    gone(page, ".bar b")
    assert shares(page) == whole


def test_why(page, server):
    page.fill("#text", TEXT)
    card(page, "sentiment").locator(".bars").wait_for()
    card(page, "sentiment").locator("text=Why?").click()
    words = card(page, "sentiment").locator(".why .sentence span")
    words.first.wait_for()
    asked = {"run": named("sentiment"), "text": TEXT}
    reply = server.send("POST", "/v1/explain", json.dumps(asked).encode(),
                        **{"Content-Type": "application/json"})  # fmt: skip
    causes = reply.json["explanations"][0]["causes"]
    assert [word.inner_text() for word in words.all()] == [cause["name"] for cause in causes]
    for word, cause in zip(words.all(), causes, strict=True):
        assert word.get_attribute("class") == ("for" if cause["weight"] >= 0 else "against")


def test_a_file_is_forecast_and_downloaded(page, server, inputs, tmp_path):
    page.set_input_files("#file", inputs / "series.csv")
    forecast = card(page, "forecast")
    forecast.locator(".plot canvas").wait_for()
    text = (inputs / "series.csv").read_text()
    answer = server.ask({"run": named("forecast"), "csv": text, "drawings": 9}).json
    read = [line.inner_text() for line in forecast.locator(".read li").all()]
    assert read == answer["notes"]
    forecast.locator("summary", has_text="as a table").click()
    rows = [row.locator("td").all_inner_texts() for row in forecast.locator("tbody tr").all()]
    north = [row for row in answer["records"] if row["id"] == "north"]
    assert [row[0] for row in rows] == [row["time"] for row in north]
    assert [float(row[1].replace(",", "")) for row in rows] == [
        pytest.approx(row["mean"], rel=1e-4) for row in north
    ]
    forecast.locator("select").select_option(label="south")
    forecast.locator(".plot[aria-label^='south']").wait_for()
    with page.expect_download() as begun:
        forecast.locator("text=Download the answer").click()
    begun.value.save_as(tmp_path / "answer.csv")
    sent = {"Content-Type": "text/csv", "Accept": "text/csv"}
    wanted = server.send("POST", f"/v1/predict?run={named('forecast')}", text.encode(), **sent)
    assert (tmp_path / "answer.csv").read_bytes() == wanted.body


def test_a_file_is_dropped(page, inputs):
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.items.add(new File([text], 'series.csv', {type: 'text/csv'}));
            window.dispatchEvent(new DragEvent('drop', {dataTransfer: data}));
        }""",
        (inputs / "series.csv").read_text(),
    )
    card(page, "forecast").locator(".plot canvas").wait_for()
    assert page.locator("#file-words").inner_text() == "series.csv"
    card(page, "regression").locator(".notice.bad").wait_for()  # it has other columns


def test_the_last_values_are_moved(page, server, inputs):
    page.click("#table-runs button:has-text('regression')")
    page.set_input_files("#file", inputs / "series.csv")
    forecast = card(page, "forecast")
    field = forecast.locator(".whatif input").last
    field.wait_for()
    field.fill("14.5")
    forecast.locator("text=forecast before").wait_for()
    gone(page, "[data-waiting]")
    asked = {"run": named("forecast"), "csv": (inputs / "series.csv").read_text(),
             "changes": [{"id": "north", "step": -1, "value": 14.5}]}  # fmt: skip
    wanted = server.records(asked)[0]["mean"]
    forecast.locator("summary", has_text="as a table").click()
    shown = forecast.locator("tbody tr").first.locator("td").nth(1).inner_text()
    assert float(shown) == pytest.approx(wanted, rel=1e-4)
    forecast.locator("text=as it was").click()
    gone(page, "text=forecast before")
    page.wait_for_timeout(300)
    shape = forecast.locator(".u-over").bounding_box()
    moved = drag_a_point(page, shape)
    assert moved, "no point could be taken hold of"
    forecast.locator("text=forecast before").wait_for()
    assert forecast.locator(".whatif input.changed").count() >= 1


def drag_a_point(page, shape):
    """Look along the chart for the cursor that says that a point can be held, and pull it up."""
    for across in range(99, 60, -1):
        x = shape["x"] + shape["width"] * across / 100
        for down in range(5, 100, 4):
            page.mouse.move(x, shape["y"] + shape["height"] * down / 100)
            if page.locator(".plot.holds").count():
                page.mouse.down()
                page.mouse.move(x, shape["y"] + 5, steps=4)
                page.mouse.up()
                if page.locator(".whatif input.changed").count():
                    return True
    return False


def test_a_file_of_texts(page, server, inputs):
    for task in ("forecast", "regression", "sentiment"):
        page.click(f"#table-runs button:has-text('{named(task)}')")
    page.set_input_files("#file", inputs / "texts.csv")
    card(page, "sentiment").locator("tbody tr").first.wait_for()
    records = server.records({"run": named("sentiment"), "csv": (inputs / "texts.csv").read_text()})
    counts = {row.locator("th").inner_text(): int(row.locator("td").last.inner_text())
              for row in card(page, "sentiment").locator(".bars tr").all()}  # fmt: skip
    labels = [record["label"] for record in records]
    assert counts == {label: labels.count(label) for label in set(labels)}


def test_what_is_wrong_is_said(page):
    page.set_input_files("#file", {"name": "a.csv", "mimeType": "text/csv", "buffer": b'a,b\n1,"2'})
    said = card(page, "forecast").locator(".notice.bad")
    said.wait_for()
    assert "table.csv" in said.inner_text()


def test_markup_is_text(browser, tmp_path):
    """Labels, names of runs and series, cells and texts that hold markup."""
    home = shutil.copytree(ALL[0], tmp_path / "<b>bold<b>")
    labels = json.loads((home / "labels.json").read_text())
    (home / "labels.json").write_text(json.dumps([MARKUP, *labels[1:]]))
    with (
        serving(home, ALL[1], ALL[2]) as server,
        opened(browser, server.address) as page,
    ):
        page.fill("#text", f"{MARKUP} <script>document.title=2</script> Ada met Bo")
        page.locator(".bars").wait_for()
        assert MARKUP in page.locator(".bars").inner_text()
        for why in page.locator("text=Why?").all():
            why.click()
        page.locator(".why .sentence").first.wait_for()
        name = MARKUP.replace('"', "'")
        lines = "\n".join(f"2024-01-{day:02},{day % 7}" for day in range(1, 29))
        table = f"date,{name}\n{lines}".encode()
        page.set_input_files("#file", {"name": MARKUP, "mimeType": "text/csv", "buffer": table})
        page.locator(".plot canvas").wait_for()
        assert page.locator("#file-words").inner_text() == MARKUP
        assert page.locator("img, #main script, b >> text=bold").count() == 0
        assert page.title() == "birnn"
        assert "<b>bold<b>" in page.locator("#served").inner_text()


def test_a_token_opens_the_page(browser):
    with serving(ALL[0], "--token", "a-token-of-some-length") as server:
        with opened(browser, f"{server.address}#token={server.token}") as page:
            page.fill("#text", "warm")
            page.locator(".bars").wait_for()
            assert "token" not in page.url
        bare = server.address
        context = browser.new_context()
        page = context.new_page()
        page.goto(bare)
        page.fill("#token", "wrong")
        page.click("text=Open")
        page.locator("text=That is not the token.").wait_for()
        page.fill("#token", "a-token-of-some-length")
        page.click("text=Open")
        page.fill("#text", "warm")
        page.locator(".bars").wait_for()
        context.close()


def test_a_server_that_has_gone_is_told(browser):
    with serving(ALL[0]) as server:
        context = browser.new_context()
        page = context.new_page()
        page.goto(server.address)
        page.wait_for_selector("#text-part:not([hidden])")
        server.stop()
        page.fill("#text", "warm")
        page.locator(".notice.bad", has_text="still running").wait_for()
        context.close()


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_anybody_can_use_it(browser, server, inputs, width, dark):
    """axe-core finds nothing serious, and nothing is wider than the screen."""
    with opened(browser, server.address, width=width, dark=dark) as page:
        page.fill("#text", TEXT)
        page.locator(".bars").wait_for()
        page.set_input_files("#file", inputs / "series.csv")
        page.locator(".plot canvas").wait_for()
        page.click("#text-runs ~ *, #words button:has-text('warm')")
        for why in page.locator("text=Why?").all():
            why.click()
        page.locator(".why .plot canvas").wait_for()
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        gone(page, "[data-waiting]")
        if home := os.environ.get("BIRNN_SCREENSHOTS"):  # a folder, to look at them
            name = f"page-{width}-{'dark' if dark else 'light'}.png"
            page.screenshot(path=Path(home) / name, full_page=True)
        assert not violations(page)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0


def test_the_keyboard_reaches_everything(page):
    page.fill("#text", "warm film")
    card(page, "sentiment").locator(".bars").wait_for()
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.id || document.activeElement.textContent")
        )
    assert {"theme", "text", "example", "file", "table-example", "warm", "film", "Why?"} <= reached


def test_an_empty_file_leaves_no_answer_of_the_one_before(page, inputs):
    page.set_input_files("#file", inputs / "series.csv")
    forecast = card(page, "forecast")
    forecast.locator(".plot canvas").wait_for()
    page.set_input_files("#file", {"name": "b.csv", "mimeType": "text/csv", "buffer": b""})
    forecast.locator(".notice.bad").wait_for()
    assert forecast.locator(".plot").count() == 0
    assert page.locator("#file-words").inner_text() == "b.csv"


def test_a_text_beyond_the_limit_is_not_cut_in_silence(page):
    page.fill("#text", "warm film " * 2_001)
    assert "the server takes 20,000" in page.locator("#count").inner_text()
    said = card(page, "sentiment").locator(".notice.bad, [role=alert]").first
    said.wait_for()
    assert "--max-text" in said.inner_text()
