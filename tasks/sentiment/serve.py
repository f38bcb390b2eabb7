"""Use a trained sentence classifier: labels of texts, and what its attention looked at."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from birnn.arrays import Array
from birnn.errors import ConfigError
from birnn.nn.word_embedder import word_weights
from birnn.tasks.core.inference import predict, run_split
from birnn.tasks.runs.folder import LoadedRun, load_run
from birnn.tasks.sentiment.task import Sentiment
from birnn.tasks.serving.labels import Columns, LabelPredictor, Labels, Weights


class SentimentPredictor(LabelPredictor):
    """A loaded sentence classifier."""

    refuses: ClassVar[Mapping[str, str]] = {"best": LabelPredictor.refuses["best"]}

    def probabilities(self, columns: Columns, *, explain: bool) -> tuple[list[Array], Weights]:
        """``[C]`` for each text and, with ``explain``, the weight of each of its words."""
        task, model = self.run.task, self.run.model
        assert isinstance(task, Sentiment)
        if explain and "attention" not in task.pooling:
            raise ConfigError("explain: this run has no attention; train with --pooling attention")
        split = task.rows(columns, self.run.info)
        probabilities = predict(task, model, split)
        if not explain:
            return probabilities, []
        words: Weights = [[] for _ in range(len(split))]
        for indices, batch, outputs in run_split(model, split, task.config.train):
            for item, row in zip(indices, word_weights(batch, outputs.attention), strict=True):
                words[item] = list(zip(split.table[int(item)]["tokens"], row, strict=True))
        return probabilities, words


def predict_texts(folder: Path, texts: Sequence[str], *, explain: bool = False) -> Labels:
    """Predict ``texts`` with the run in ``folder``, in their order.

    Args:
        folder: of the run.
        texts: as given.
        explain: also return what attention pooling looked at.

    Raises:
        ConfigError: the run is of another task, or has no attention to explain with.
    """
    return label_texts(load_run(folder), texts, explain=explain)


def label_texts(run: LoadedRun, texts: Sequence[str], *, explain: bool = False) -> Labels:
    """Predict ``texts`` with a loaded run; see :func:`predict_texts`."""
    if not isinstance(run.task, Sentiment):
        raise ConfigError(
            f"predict takes texts; {run.folder} is a {run.task.name} run: use evaluate"
        )
    return SentimentPredictor(run).label({"text": list(texts)}, explain=explain)
