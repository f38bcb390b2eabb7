"""The tagger as a PyTorch tutorial writes it, with pytorch-crf."""

from collections import Counter
from importlib.metadata import version
from pathlib import Path

import torch
from ewt import BATCH, CLIP, DROPOUT, FEWEST, HIDDEN, LEARNING_RATE, WORD_SIZE, measure, split
from measuring import Clock
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader
from torchcrf import CRF

PAD, UNKNOWN = 0, 1
Item = tuple[Tensor, Tensor]  # word and tag numbers, [T] each


class Network(nn.Module):
    """Vectors, a packed LSTM both ways, a linear layer and a CRF."""

    def __init__(self, words: int, tags: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, WORD_SIZE, padding_idx=PAD)
        self.lstm = nn.LSTM(WORD_SIZE, HIDDEN, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.linear = nn.Linear(2 * HIDDEN, tags)
        self.crf = CRF(tags, batch_first=True)

    def emissions(self, words: Tensor, lengths: Tensor) -> Tensor:
        """``[B, T]`` → ``[B, T, K]``."""
        embedded = self.dropout(self.embedding(words))
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        scores: Tensor = self.linear(self.dropout(states))
        return scores

    def loss(self, words: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """The negative log-likelihood a token."""
        scores = self.emissions(words, lengths)
        likelihood: Tensor = self.crf(scores, tags, words != PAD, reduction="token_mean")
        return -likelihood

    def decode(self, words: Tensor, lengths: Tensor) -> list[list[int]]:
        """The best tags of each sentence."""
        found: list[list[int]] = self.crf.decode(self.emissions(words, lengths), words != PAD)
        return found


def collate(items: list[Item]) -> tuple[Tensor, Tensor, Tensor]:
    """Pad a batch."""
    words, tags = [item[0] for item in items], [item[1] for item in items]
    lengths = torch.tensor([len(row) for row in words])
    return pad_sequence(words, True, PAD), pad_sequence(tags, True, 0), lengths


class Torch:
    """A network, its vocabulary and a loop."""

    name = "PyTorch loop"
    version = f"torch {torch.__version__}, pytorch-crf {version('pytorch-crf')}"

    def __init__(self, folder: Path, seed: int) -> None:
        torch.manual_seed(seed)
        train = split(folder, "train")
        counts = Counter(word for sentence in train for word in sentence.words)
        often = [word for word, count in counts.items() if count >= FEWEST]
        self.words = {word: i for i, word in enumerate(often, start=2)}
        self.labels = sorted({tag for sentence in train for tag in sentence.tags})
        tags = {label: i for i, label in enumerate(self.labels)}
        self.items: list[Item] = [
            (self.ids(sentence.words), torch.tensor([tags[tag] for tag in sentence.tags]))
            for sentence in train
        ]
        self.network = Network(len(self.words) + 2, len(self.labels))

    def ids(self, words: list[str]) -> Tensor:
        """Numbers of words."""
        return torch.tensor([self.words.get(word, UNKNOWN) for word in words])

    def train(self, clock: Clock) -> None:
        """Epochs of shuffled batches."""
        optimizer = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE)
        loader: DataLoader[Item] = DataLoader(
            self.items,  # type: ignore[arg-type]
            BATCH,
            shuffle=True,
            collate_fn=collate,
        )
        self.network.train()
        clock.start()
        while True:
            for words, tags, lengths in loader:
                optimizer.zero_grad()
                self.network.loss(words, tags, lengths).backward()
                nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
                optimizer.step()
                if clock.tick(int(lengths.sum())):
                    return

    @torch.no_grad()
    def tag(self, sentences: list[list[str]]) -> list[list[str]]:
        """Batches in the order of the sentences."""
        self.network.eval()
        found = []
        for start in range(0, len(sentences), BATCH):
            rows = [self.ids(words) for words in sentences[start : start + BATCH]]
            lengths = torch.tensor([len(row) for row in rows])
            paths = self.network.decode(pad_sequence(rows, True, PAD), lengths)
            found += [[self.labels[tag] for tag in path] for path in paths]
        return found


if __name__ == "__main__":
    measure(Torch)
