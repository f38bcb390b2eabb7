"""Which steps and which columns moved a prediction."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from birnn.arrays import Floats
from birnn.data.steps import StepSplit
from birnn.errors import ConfigError
from birnn.nn.attribution import integrated_gradients
from birnn.nn.batch import Batch
from birnn.nn.model import device_of
from birnn.tasks.core.explanation import Cause, Explanation, Wish
from birnn.tasks.regression.serve import read_table, step_sequences
from birnn.tasks.serving.explaining import Explainer
from birnn.tasks.serving.request import Request

NOTHING = "every column at its mean in train"


class RegressionExplainer(Explainer):
    """Integrated gradients of the prediction of one step of a sequence, or the mean of all."""

    wishes: ClassVar[tuple[str, ...]] = ("step",)

    def asked(self, request: Request, wish: Wish) -> Iterator[Explanation]:
        """Of each sequence of a table."""
        if request.texts:
            raise ConfigError("a run of regression takes no texts; give a table with --input")
        if not request.input:
            raise ConfigError("nothing to explain: give a table, a row a step, with --input FILE")
        table = read_table(self.run, request)
        for number, rows in enumerate(table.rows, 1):
            yield self._of_sequence(table.features[rows], number, wish.step)

    def given(self, data: Any, column: str, wish: Wish) -> Iterator[Explanation]:
        """Of each sequence."""
        for number, features in enumerate(step_sequences(data, self.run)[0], 1):
            yield self._of_sequence(features, number, wish.step)

    def _of_sequence(self, features: Floats, number: int, step: int) -> Explanation:
        info, model, length = self.run.info, self.run.model, len(features)
        if not 0 <= step <= length:
            where = f"the steps 1 to {length} of sequence {number}, or 0 for the mean"
            raise ConfigError(f"step: {step} is not one of {where}")
        split = StepSplit([features], [np.zeros(length)], info.shift, info.scale)
        batch = split.batch(np.array([0])).to(device_of(model))
        asked = slice(step - 1, step) if step else slice(None)
        shift, scale = float(info.shift[-1]), float(info.scale[-1])

        def score(points: list[Tensor]) -> Tensor:
            alike = Batch({"features": points[0]}, batch.lengths.expand(len(points[0])))
            predicted: Tensor = model(alike)[:, asked].double().mean(1)
            return predicted * scale + shift

        x = batch.inputs["features"][0]
        found = integrated_gradients(score, [x], [torch.zeros_like(x)])
        causes = tuple(
            Cause(str(place), float(row.sum()),
                  parts=dict(zip(info.features, row.tolist(), strict=True)))
            for place, row in enumerate(found.parts[0], 1)
        )  # fmt: skip
        target = f"step {step}" if step else f"mean of {length} steps"
        return Explanation(
            self.run.task.name, target, f"{info.target}, {target}", info.target, found.value,
            found.baseline, NOTHING, causes, found.gap, found.points, item=str(number),
        )  # fmt: skip
