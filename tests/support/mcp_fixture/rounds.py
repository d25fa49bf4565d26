"""Tools and a prompt that answer with a question first (2026-07-28)."""

from __future__ import annotations

from typing import Any, Final

import mcp_types as types

from tests.support.mcp_fixture.content import STRING, form, result, sampling, text
from tests.support.mcp_fixture.tools import Ctx, Params, Told, Tool

NAME: Final = form("What is your name?", name=STRING)
OK: Final = form("Please confirm", ok={"type": "boolean"})
CAPITAL: Final = sampling("What is the capital of France?", 100)
ROOTS: Final = types.ListRootsRequest()


def required(state: str | None = None, **requests: types.InputRequest) -> types.InputRequiredResult:
    """The question instead of a result."""
    return types.InputRequiredResult(input_requests=requests, request_state=state)


def answered(params: types.InputResponseRequestParams, *keys: str) -> bool:
    """Whether every one of these questions has an answer."""
    return set(keys) <= (params.input_responses or {}).keys()


def once(state: str | None = None, **requests: types.InputRequest) -> Tool:
    """A tool that is done when its questions are answered, and its state came back."""

    async def tool(_: Ctx, params: Params) -> Told:
        if not answered(params, *requests) or (state and params.request_state != state):
            return required(state, **requests)
        return result(text(f"state-ok, thank you for {', '.join(requests)}"))

    return tool


async def two_rounds(_: Ctx, params: Params) -> Told:
    """Asks twice; the state says how far it is."""
    if params.request_state == "2" and answered(params, "step2"):
        return result(text("both steps are done"))
    if params.request_state == "1" and answered(params, "step1"):
        return required("2", step2=form("Step 2: What is your favorite color?", color=STRING))
    return required("1", step1=form("Step 1: What is your name?", name=STRING))


async def what_the_client_can(ctx: Ctx, params: Params) -> Told:
    """Asks for nothing that the client has not declared."""
    declared = ctx.session.client_capabilities or types.ClientCapabilities()
    possible: dict[str, Any] = {}
    if declared.sampling is not None:
        possible["capital_question"] = CAPITAL
    if declared.elicitation is not None:
        possible["user_name"] = NAME
    return required(**possible) if possible and not answered(params, *possible) else result(text("nothing to ask"))


TOOLS: Final[dict[str, Tool]] = {
    "test_input_required_result_elicitation": once(user_name=NAME),
    "test_input_required_result_sampling": once(capital_question=CAPITAL),
    "test_input_required_result_list_roots": once(client_roots=ROOTS),
    "test_input_required_result_request_state": once("kept", confirm=OK),
    "test_input_required_result_tampered_state": once("kept", confirm=OK),
    "test_input_required_result_multiple_inputs": once(
        "kept", user_name=NAME, greeting=sampling("Generate a greeting", 50), client_roots=ROOTS
    ),
    "test_input_required_result_multi_round": two_rounds,
    "test_input_required_result_capabilities": what_the_client_can,
    "test_streaming_elicitation": once(user_name=NAME),
}


def prompt(params: types.GetPromptRequestParams) -> types.GetPromptResult | types.InputRequiredResult:
    """A prompt that needs to know more first."""
    if not answered(params, "user_context"):
        return required(user_context=form("What context should the prompt use?", context=STRING))
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=text("with this context"))])
