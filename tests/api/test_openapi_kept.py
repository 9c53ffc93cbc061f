"""The running API keeps to its own document: whatever the document allows, and much that it does not, is answered as
the document says and is never a fault of the server.
"""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.wire import Route, tus
from tests.api.conftest import Client
from tests.api.simplest import DOCUMENT
from tests.api.test_other_zones import ROUTES, caller_of
from tests.full_zone import FullZone

schemathesis.serializer.alias(tus.BODY, "application/octet-stream")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ENDING = {"mini.sign_in.sign_out", "console.sign_in.sign_out"}
"""They would end the callers' own sign-ins, and all that follows would only be refused."""
EXAMPLES = 8
FEW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(300)  # 20 s on a machine of its own
@pytest.mark.parametrize("mode", GenerationMode)
async def test_every_operation_answers_as_the_document_says(
    full: FullZone, callers_in: Any, server: str, mode: GenerationMode
) -> None:
    """With ids that exist and ids that do not, with what is allowed and what is not."""
    exploring = Exploring(server, full, await callers_in(full), mode)
    await asyncio.to_thread(exploring.run)
    assert exploring.broken == []
    assert mode is GenerationMode.NEGATIVE or len(exploring.succeeded) > 60  # or all were turned away at the door


class Exploring:
    """Operation by operation; `broken` says what was not answered as it should be, `succeeded` names what was done."""

    def __init__(self, server: str, full: FullZone, callers: dict[str, Client], mode: GenerationMode) -> None:
        self.server, self.ids, self.callers, self.mode = server, full.ids, callers, mode
        self.broken: list[str] = []
        self.succeeded: set[str] = set()

    def run(self) -> None:
        for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations():
            operation = found.ok()
            route = ROUTES[operation.definition.raw["operationId"]]
            if route.name not in ENDING:
                self._try(operation, route)

    def _try(self, operation: Any, route: Route) -> None:
        proof = caller_of(route, self.callers).headers if route.roles else {}

        @FEW
        @given(case=operation.as_strategy(generation_mode=self.mode), which=st.integers(0, 4))
        def hold(case: Any, which: int) -> None:
            for name in case.path_parameters or {}:
                if which < len(self.ids.get(name, [])):
                    case.path_parameters[name] = str(self.ids[name][which])
            own = {**proof, "Idempotency-Key": str(uuid4()), "If-Match": '"1"'}
            response = case.call(base_url=self.server, headers=own)
            case.validate_response(response, checks=CHECKS)
            if response.status_code < 400:
                self.succeeded.add(route.name)

        try:
            hold()
        except FailureGroup as failures:
            self.broken.append(f"{route.name}: {failures}")
        except Unsatisfiable:  # it takes nothing that could be wrong
            pass
