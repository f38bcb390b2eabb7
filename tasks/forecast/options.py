"""The options of forecasting; light to import, as :mod:`birnn.tasks.core.options` is."""

from dataclasses import dataclass, field

from birnn.config import EncoderConfig, TrainConfig, advanced, option
from birnn.data.stamps import options as stamps
from birnn.data.tables.dialect import TableOptions
from birnn.search import Span
from birnn.tasks.core import options
from birnn.tasks.core.options import advanced_data, data_option

# fmt: off


@dataclass(frozen=True)
class ForecastData:
    """Where series come from, how they are read, and how their rows are split."""

    data: str = data_option(
        "electricity",
        "A CSV, TSV, JSON, JSONL or Parquet file, wide (a column a series) or long (a row a series"
        " and time); a folder saved by datasets; a Hub name; or what is embedded: electricity,"
        " temperatures.")
    target: str = data_option(
        "", "Column to forecast; several with commas. Empty: every numeric column.")
    time_column: str = advanced_data("", "Column of the stamps. Empty: found.")
    time_columns: str = stamps.time_columns_option()
    date_format: str = stamps.date_format_option()
    day_first: bool | None = stamps.day_first_option()
    id_column: str = stamps.id_column_option()
    layout: str = advanced_data(
        "auto", "How the file is laid out.", choices=("auto", "wide", "long"))
    frequency: str = advanced_data(
        "", "Time between steps as pandas writes it: h, 15min, D, MS. Empty: found.")
    season: int = advanced_data(
        0, "Steps of a season. 0: from the frequency, or found.", low=0, high=100_000)
    past: str = advanced_data("", "Columns, with commas, that are known up to the present alone.")
    future: str = advanced_data(
        "", "Columns, with commas, that are known ahead, in rows with an empty target.")
    static: str = advanced_data("", "Columns, with commas, that describe a whole series.")
    calendar: str = advanced_data(
        "", "Calendar features: minute, hour, weekday, monthday, month, with commas.")
    missing: str = advanced_data(
        "mask", "What is done about empty and infinite cells and gaps: masked in input and loss,"
        " interpolated, the series left out, or nothing but an error.",
        choices=("mask", "interpolate", "drop", "fail"))
    duplicates: str = advanced_data(
        "fail", "What is done about a stamp that a series has twice.",
        choices=("fail", "mean", "first", "last"))
    text: str = advanced_data(
        "fail", "What is done about words in a column of numbers.", choices=("fail", "missing"))
    horizon: int = data_option(24, "Steps to forecast.", low=1, high=100_000)
    lookback: int = data_option(
        0, "Steps that are read. 0: fourteen seasons, at most 720 and a third of the history.",
        low=0, high=100_000)
    split: str = advanced_data(
        "", "Rows of train, validation and test (8640,2880,2880), or the dates on which validation"
        " and test begin (2017-07-01,2017-11-01). Empty: by share.")
    test_last: int = advanced_data(
        0, "Hold out this many last rows of each series for testing. 0: by share.", low=0)
    folds: int = options.fold_count()
    fold: int = options.one_fold()
    validation_share: float = advanced_data(
        0.2, "Share of the rows before the test rows that validate.", low=0.01, high=0.5)
    test_share: float = advanced_data(
        0.2, "Share of all rows that test, the last ones.", low=0.01, high=0.5)
    encoding: str = options.file_encoding()
    skip_ragged: bool = options.without_ragged()
    table: TableOptions = field(default_factory=TableOptions)


@dataclass(frozen=True)
class ForecastParts:
    """What stands around the encoder, and what comes of it."""

    members: int = option(
        0, "Networks trained side by side and averaged; 0: more for less data.",
        low=0, high=options.MAX_MEMBERS)
    segment: int = advanced(
        0, "Steps that are read at once. 0: a season, or near it.", low=0, high=10_000)
    segment_size: int = advanced(
        128, "Size of the vector of a segment.", low=1, high=8192,
        search=Span(64, 256, step=64))
    series_size: int = advanced(
        0, "Size of a trained vector of each series; 0: all are treated alike.", low=0, high=1024)
    normalise: str = advanced(
        "auto", "What a window loses before it is read: its last value, its last season's mean,"
        " either and its scale, its mean and scale, or nothing. auto: last for up to 20 series,"
        " else mean.",
        choices=("auto", "last", "scale", "season", "season_scale", "mean", "none"))
    decoder: str = advanced(
        "direct",
        "What makes the steps ahead: one linear layer, or SegRNN's parallel decoder of segments.",
        choices=("direct", "segments"))
    linear: bool = advanced(
        True, "Mix in a linear model fitted in closed form, as validation says.")
    input_dropout: float = advanced(
        0.0, "Dropout of what is read.", low=0, high=0.95, search=Span(0.0, 0.3))
    head_dropout: float = advanced(
        0.3, "Dropout before the last layer.", low=0, high=0.95, search=Span(0.1, 0.6))
    loss: str = advanced(
        "mae", "What training minimises; quantile also forecasts the bounds of each level.",
        choices=("mae", "mse", "huber", "quantile"), group="Training")
    epoch_windows: int = advanced(
        100_000, "Windows, drawn anew, that an epoch has at most; 0: all.", low=0, group="Training")
    refit: int = advanced(
        0, "Train again, on all rows before, for each of this many parts of the test rows.",
        low=0, high=100, group="Training")
    levels: str = advanced(
        "80,90,95", "Per cent of the future that each interval shall cover.", group="Intervals")
    calibration_share: float = advanced(
        0.5, "Share of the validation rows, the last ones, that calibrate intervals alone.",
        low=0.0, high=0.9, group="Intervals")
    min: float | None = advanced(None, "No forecast is lower.", group="Intervals")
    max: float | None = advanced(None, "No forecast is higher.", group="Intervals")
    best: bool = advanced(
        False, "Let predict use whatever was best on validation, be it a baseline.", group="Run")


@dataclass(frozen=True)
class ForecastConfig:
    """Everything that a forecasting run depends on."""

    data: ForecastData = field(default_factory=ForecastData)
    model: ForecastParts = field(default_factory=ForecastParts)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    train: TrainConfig = field(default_factory=lambda: TrainConfig(
        epochs=8, epoch_steps=50, batch_size=256, batch_tokens=1_000_000, learning_rate=3e-3,
        ema=0.99, patience=3))
