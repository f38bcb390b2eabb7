"""The forecaster as a PyTorch tutorial writes it: a GRU over 336 steps, a linear layer to 96."""

from pathlib import Path

import numpy as np
import torch
from ett import HIDDEN, HORIZON, LOOKBACK, ROWS, TEST, TRAIN, WINDOWS, Values, measure, read
from measuring import Clock
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

BATCH, TEST_BATCH = 128, 1024
LEARNING_RATE = 1e-3


class Windows(Dataset[tuple[Tensor, Tensor]]):
    """Every window of ``values [N, T]``, series after series."""

    def __init__(self, values: Tensor) -> None:
        self.values = values
        self.each = values.shape[1] - LOOKBACK - HORIZON + 1

    def __len__(self) -> int:
        return len(self.values) * self.each

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        series, start = divmod(index, self.each)
        middle = start + LOOKBACK
        return self.values[series, start:middle], self.values[series, middle : middle + HORIZON]


class Network(nn.Module):
    """One recurrent layer, read forwards; its last state makes all steps ahead."""

    def __init__(self, cell: str) -> None:
        super().__init__()
        self.cell = getattr(nn, cell.upper())(1, HIDDEN, batch_first=True)  # of the moment
        self.linear = nn.Linear(HIDDEN, HORIZON)

    def forward(self, history: Tensor) -> Tensor:
        """``[B, L] → [B, H]``."""
        states, _ = self.cell(history.unsqueeze(-1))
        ahead: Tensor = self.linear(states[:, -1])
        return ahead


class Torch:
    """A network and a loop over scaled series."""

    name = "PyTorch loop"
    version = f"torch {torch.__version__}"

    def __init__(self, path: Path, cell: str, seed: int, variant: str) -> None:
        torch.manual_seed(seed)
        self.table = read(path)
        scaled = (self.table.values - self.table.shift) / self.table.scale
        self.values = torch.from_numpy(scaled.astype(np.float32))
        self.network = Network(cell)

    def train(self, clock: Clock) -> None:
        """Epochs of shuffled windows; mean absolute error."""
        optimizer = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE)
        loader = DataLoader(Windows(self.values[:, :TRAIN]), BATCH, shuffle=True)
        self.network.train()
        clock.start()
        while True:
            for history, future in loader:
                optimizer.zero_grad()
                nn.functional.l1_loss(self.network(history), future).backward()
                optimizer.step()
                if clock.tick(len(history)):
                    return

    @torch.no_grad()
    def backtest(self) -> Values:
        """Large batches of test windows."""
        self.network.eval()
        windows = Windows(self.values[:, ROWS - TEST - LOOKBACK :])
        loader = DataLoader(windows, TEST_BATCH)
        rows = torch.cat([self.network(history) for history, _ in loader])
        scaled = rows.view(-1, WINDOWS, HORIZON).double().numpy()
        found: Values = scaled * self.table.scale[:, :, None] + self.table.shift[:, :, None]
        return found

    @torch.no_grad()
    def forecast(self, series: str, history: Values) -> Values:
        """Scale, run, scale back."""
        self.network.eval()
        number = self.table.names.index(series)
        shift, scale = self.table.shift[number], self.table.scale[number]
        row = torch.from_numpy(((history - shift) / scale).astype(np.float32))
        found: Values = self.network(row[None])[0].double().numpy() * scale + shift
        return found


if __name__ == "__main__":
    measure(Torch)
