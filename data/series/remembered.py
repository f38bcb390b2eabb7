"""How a run read its series, so that another file is read as they were."""

from dataclasses import asdict, dataclass, field
from typing import Any

from birnn.data.stamps.reading import Asked
from birnn.errors import ConfigError, brief

LONGEST = 10_000  # columns of a list


@dataclass(frozen=True)
class Remembered:
    """What was found in a run's file; it decides over what another file alone would suggest."""

    layout: str = ""  # wide or long
    turned: bool = False  # dates stood in the header
    time_columns: list[str] = field(default_factory=list)  # empty: rows are counted
    id_columns: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    orders: dict[str, str] = field(default_factory=dict)  # of the numbers of dates
    number: str = ""  # what numbers were read as
    zone: str = ""
    frequency: str = ""  # of the clock; of whole numbers, how far they are apart
    whole: bool = False  # stamps are whole numbers
    day: int = 0  # of each month, where stamps fall on one
    moved: bool = False  # some day of each month stands for the month

    def asked(self, formats: tuple[str, ...], day_first: bool | None) -> Asked:
        """How stamps are read, where options don't say otherwise."""
        orders = self.orders if day_first is None else {}
        return Asked(formats, day_first, orders, "" if formats else self.number, self.zone)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def parse_remembered(stored: Any) -> Remembered:
    """Restore what :meth:`Remembered.to_json` gave.

    Raises:
        ConfigError: it is something else.
    """
    kinds: dict[str, type] = {name: type(value) for name, value in asdict(Remembered()).items()}
    if not isinstance(stored, dict):
        raise ConfigError(f"reading: series {brief(stored)}")
    for name, value in stored.items():
        if name not in kinds or type(value) is not kinds[name]:
            raise ConfigError(f"reading: {name} {brief(value)}")
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        if isinstance(inner, list) and not (
            len(inner) <= LONGEST and all(isinstance(part, str) for part in inner)
        ):
            raise ConfigError(f"reading: {name} {brief(value)}")
    return Remembered(**stored)
