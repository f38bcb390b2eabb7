"""Load the run whose states another takes as features."""

import json
from dataclasses import asdict
from pathlib import Path

from birnn.errors import CheckpointError, ConfigError
from birnn.tasks.core.context import Context, with_weights
from birnn.tasks.runs.folder import load_run, single


def load_context(place: str) -> Context:
    """The run in a folder, with its weights at hand.

    Raises:
        ConfigError: there is no usable run, or one that offers no states.
    """
    try:
        run = single(load_run(Path(place).expanduser()), "context")
    except CheckpointError as error:
        raise ConfigError(f"context: {error}") from None
    options = json.loads(json.dumps(asdict(run.task.config)))
    # Where its own data lay is nobody's business.
    options["data"] = {**options["data"], "data": ""}
    context = Context.of(run.task, options, run.info, run.folder.resolve().name)
    return with_weights(context, run.model.state_dict())
