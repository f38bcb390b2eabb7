"""Tasks: what is predicted, what a score means, and the experiment that ties them together.

Importing the package is cheap; a task's modules are loaded when the task is used.
"""

from birnn.tasks.core.spec import Specs

# Adding a task is one folder, and one line here.
TASKS = Specs(
    {
        "sentiment": "birnn.tasks.sentiment:SPEC",
        "tagging": "birnn.tasks.tagging:SPEC",
        "forecast": "birnn.tasks.forecast:SPEC",
        "regression": "birnn.tasks.regression:SPEC",
        "language": "birnn.tasks.language:SPEC",
        "speech": "birnn.tasks.speech:SPEC",
        "translate": "birnn.tasks.translate:SPEC",
    }
)
