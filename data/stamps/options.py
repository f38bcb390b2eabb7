"""The options that say how stamps are written and where they stand; light to import."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from birnn.config import option

stamp_option = partial(option, group="Data", level="advanced")


def time_columns_option() -> Any:
    """Columns that are joined to the time."""
    return stamp_option(
        "", "Columns, with commas, that are the time together: date and time, year and month."
    )


def date_format_option() -> Any:
    """How stamps are written."""
    return stamp_option(
        "", "How stamps are written, as strptime has it (%d.%m.%Y %H:%M; several with |), or excel,"
        " unix, unix-ms, unix-days, number, iso-week, us-week. Empty: found.",
    )  # fmt: skip


def day_first_option() -> Any:
    """The order of day and month."""
    return stamp_option(
        None, "Day before month, or after it, in dates such as 01/02/2024. Not given: found."
    )


def id_column_option() -> Any:
    """The columns that name series."""
    return stamp_option(
        "", "Column that names the series (long files); several with commas. Empty: found."
    )


@dataclass(frozen=True)
class StampOptions:
    """How another file than a run's own is read, where that is not as the run's was."""

    time_columns: str = time_columns_option()
    date_format: str = date_format_option()
    day_first: bool | None = day_first_option()
    id_column: str = id_column_option()


AS_IN_RUN = StampOptions()
