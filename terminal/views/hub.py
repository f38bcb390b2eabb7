"""What is shown of a run that was shared."""

from collections.abc import Sequence

from rich.text import Text

from birnn.terminal.console import console


def draw_pushed(where: str, names: Sequence[str]) -> None:
    """Say where the run is now, and which files went there."""
    console().print(Text(f"{', '.join(names)}"))
    console().print(Text(f"→ {where}"))
    console().print(
        Text("The vocabulary holds words of the training data; texts and predictions stay here.")
    )
