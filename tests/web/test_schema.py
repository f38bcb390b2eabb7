"""Schemathesis makes requests of the API's own description: no 5xx, and what comes is described."""

import hypothesis
import pytest

from served import serving

ASKED = ("/v1/predict", "/v1/explain")


@pytest.fixture(scope="module")
def schema():
    tool = pytest.importorskip("schemathesis", reason="the extra test is not installed")
    with serving() as server:
        yield tool.openapi.from_url(f"{server.address}openapi.json")


def validate(schema, path, mode, examples):
    """Requests that the description allows, or that it doesn't: each is answered as it says."""
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    held = [not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
            checks.response_schema_conformance]  # fmt: skip
    operation = schema[path]["POST" if path in ASKED else "GET"]
    made = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))

    @hypothesis.settings(max_examples=examples)
    @hypothesis.given(case=made)
    def check(case):
        case.call_and_validate(checks=held)

    check()


@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("path", ASKED)
def test_questions(schema, path, mode):
    validate(schema, path, mode, 50)


@pytest.mark.parametrize("path", ["/v1/runs", "/health", "/metrics"])
def test_what_takes_no_question(schema, path):
    validate(schema, path, "positive", 3)
