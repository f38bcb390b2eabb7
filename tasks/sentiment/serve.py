"""Use a trained sentence classifier: labels of texts, and what its attention looked at."""

from collections.abc import Mapping
from typing import ClassVar

from birnn.arrays import Array
from birnn.errors import ConfigError
from birnn.tasks.core.inference import predict
from birnn.tasks.runs.folder import single
from birnn.tasks.sentiment.task import Sentiment
from birnn.tasks.serving.labels import Columns, LabelPredictor, Weights


class SentimentPredictor(LabelPredictor):
    """A loaded sentence classifier."""

    refuses: ClassVar[Mapping[str, str]] = {"best": LabelPredictor.refuses["best"]}

    def probabilities(self, columns: Columns, *, explain: bool) -> tuple[list[Array], Weights]:
        """``[C]`` for each text and, with ``explain``, the weight of each of its words."""
        task, model = self.run.task, self.run.model
        assert isinstance(task, Sentiment)
        if explain and "attention" not in task.pooling:
            raise ConfigError("explain: this run has no attention; train with --pooling attention")
        if not explain:
            return super().probabilities(columns, explain=False)
        single(self.run, "explain")
        split = task.rows(columns, self.run.info)
        probabilities = predict(task, model, split)
        return probabilities, task.attention(model, split.table, self.run.info)
