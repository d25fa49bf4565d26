"""The stops over HTTP: paid calls, and writes to the outside."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from revenueflow.api.deps import AppState, Principal, State, require
from revenueflow.audit import switches
from revenueflow.audit.switches import SPENDING, WRITES, Switch

router = APIRouter(prefix="/v1", tags=["operations"])
Operator = Annotated[Principal, Depends(require("operator"))]


@router.post("/spend/stop", operation_id="stopSpending")
async def stop_spending(state: AppState, operator: Operator) -> dict[str, Any]:
    """Stops every paid call to a provider, in all processes, at once. Leads go on with what is known."""
    return await _turn(state, SPENDING, operator, on=True)


@router.post("/spend/resume", operation_id="resumeSpending")
async def resume_spending(state: AppState, operator: Operator) -> dict[str, Any]:
    """Lets paid calls be made again, within the caps."""
    return await _turn(state, SPENDING, operator, on=False)


@router.post("/writes/stop", operation_id="stopWrites")
async def stop_writes(state: AppState, operator: Operator) -> dict[str, Any]:
    """Stops every write to the CRM and the messenger, by runs, agents and people, in all processes, at once."""
    return await _turn(state, WRITES, operator, on=True)


@router.post("/writes/resume", operation_id="resumeWrites")
async def resume_writes(state: AppState, operator: Operator) -> dict[str, Any]:
    """Lets writes be made again. Leads that wait go on within half a minute."""
    return await _turn(state, WRITES, operator, on=False)


async def _turn(state: State, switch: Switch, operator: Principal, *, on: bool) -> dict[str, Any]:
    by = f"key:{operator.key_id}"
    async with state.database.transaction() as session:
        await (switches.turn_on if on else switches.turn_off)(session, switch, by=by)
    return {"stopped": on}
