"""The options that say how files are read, from Python as at the command line."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import birnn
from birnn.cli import main
from birnn.errors import BirnnError, ConfigError
from birnn.tasks.serving.python_inputs import read_texts

DAYS = pd.date_range("2024-03-01", periods=12)
TINY = {"horizon": 3, "lookback": 6, "hidden_size": 4, "epochs": 1, "refit": 0}


@pytest.fixture(scope="module")
def forecaster() -> birnn.Run:
    days = pd.date_range("2023-01-01", periods=150)
    frame = pd.DataFrame({"date": days.strftime("%Y-%m-%d"), "y": range(150)})
    return birnn.train("forecast", frame, **TINY)


def written(folder: Path, form: str, end: str = "") -> Path:
    path = folder / "new.csv"
    rows = "".join(f"{day.strftime(form)};{number},5{end}\n" for number, day in enumerate(DAYS))
    path.write_text("date;y\n" + rows)
    return path


def test_predict_takes_how_stamps_and_tables_are_read(forecaster, tmp_path) -> None:
    path = written(tmp_path, "%d/%m/%Y")
    other = forecaster.predict(path, day_first=False)  # the third of each month
    assert str(other["time"][0]).startswith("2024-12-04")
    for given in ({"day_first": True}, {"date_format": "%d/%m/%Y", "delimiter": ";"}):
        found = forecaster.predict(path, decimal=",", **given)
        assert [str(time)[:10] for time in found["time"]] == [
            "2024-03-13", "2024-03-14", "2024-03-15"]  # fmt: skip
        records = forecaster.predict_records(path, decimal="comma", **given)
        assert [row["mean"] for row in records] == found["mean"].tolist()
    two = pd.read_csv(path, sep=";", decimal=",")
    two = pd.DataFrame({"month": [t[3:] for t in two["date"]], "day": [t[:2] for t in two["date"]],
                        "y": two["y"]})  # fmt: skip
    joined = forecaster.predict(two, time_columns="day,month", date_format="%d %m/%Y")
    assert joined["mean"].tolist() == found["mean"].tolist()


def test_the_command_line_answers_the_same(forecaster, tmp_path, capsys) -> None:
    forecaster.save(tmp_path / "run")
    path, out = written(tmp_path, "%d/%m/%Y"), tmp_path / "out.json"
    words = ["--input", str(path), "--day-first", "--decimal", "comma", "--output", str(out)]
    assert main(["predict", str(tmp_path / "run"), *words]) == 0, capsys.readouterr().err
    found = forecaster.predict(path, day_first=True, decimal="comma")
    assert pd.read_json(out)["mean"].tolist() == pytest.approx(found["mean"].tolist())


def test_evaluate_takes_them_too(forecaster, tmp_path) -> None:
    days = pd.date_range("2024-03-01", periods=40)
    rows = [f"{day:%d/%m/%Y};{number},5;x\n" for number, day in enumerate(days)]
    rows.insert(9, "1;2;3;4\n")
    path = tmp_path / "new.csv"
    path.write_text("date;y;c\n" + "".join(rows), encoding="utf-16")
    given = {"day_first": True, "decimal": ",", "skip_ragged": True, "encoding": "utf-16"}
    assert forecaster.evaluate(path, **given)
    with pytest.raises(BirnnError, match="skip"):
        forecaster.evaluate(path, **given | {"skip_ragged": False})
    with pytest.raises(ConfigError, match="label_column: forecast has no such option"):
        forecaster.evaluate(path, label_column="c")


def test_a_classifier_evaluates_by_columns(trained, tmp_path) -> None:
    run = birnn.load(trained)
    path = tmp_path / "new.csv"
    path.write_text("a,b\na lovely film,good\na dull one,bad\n")
    assert run.evaluate(path, text_column="a", label_column="b")["accuracy"]["value"] >= 0


@pytest.mark.parametrize(
    ("given", "said"),
    [({"delimeter": ";"}, "unknown option 'delimeter'.*delimiter"),
     ({"day_first": "yes"}, "day_first"), ({"decimal": "x"}, "decimal")],
)  # fmt: skip
def test_what_is_no_option_is_one_line(forecaster, tmp_path, given, said) -> None:
    path = written(tmp_path, "%Y-%m-%d")
    for use in (forecaster.predict, forecaster.predict_records, forecaster.evaluate):
        with pytest.raises(BirnnError, match=said):
            use(path, **given)


def test_rows_of_a_program_have_no_file(trained) -> None:
    run = birnn.load(trained)
    for given in ({"delimiter": ";"}, {"date_format": "%Y"}):
        with pytest.raises(ConfigError, match="given its rows here"):
            run.predict(["a film"], **given)


class Handed:
    """What has nothing but Arrow's interface, as frames of other libraries have."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_tables_of_other_libraries(trained, kind) -> None:
    run = birnn.load(trained)
    texts = pa.array(["a lovely film", "a dull one"], pa.string())
    table = pa.table({"text": texts.cast(kind), "label": pa.array(["good", "bad"]).cast(kind)})
    for data in (table, Handed(table)):
        assert run.predict(data) == run.predict(texts.to_pylist())
        assert run.predict_proba(data).shape == (2, 2)
        assert run.evaluate(data)["accuracy"]["value"] >= 0
    assert run.predict(pa.chunked_array([texts])) == run.predict(texts.to_pylist())
    assert list(read_texts(pa.chunked_array([texts])).texts) == texts.to_pylist()


def test_a_series_of_other_libraries(forecaster) -> None:
    table = pa.table({"date": DAYS.strftime("%Y-%m-%d").tolist(), "y": list(range(12))})
    wanted = forecaster.predict(table.to_pandas())
    assert forecaster.predict(Handed(table)).equals(wanted)
