"""Where the project and its fixtures are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
RUNS = FIXTURES / "runs"  # of earlier states of the code
