"""Filters of look-backs that the office keeps by a name."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models import lookbacks
from models.base.scope import Role, Scope
from models.lookbacks import Population

routes = Routes("console", "/lookbacks/populations", tag="回头看")
OVERSIGHT = {Role.OVERSIGHT}


class PopulationIn(Schema):
    """A filter and its name."""

    name: Annotated[str, Field(description="名称", min_length=1, max_length=80, examples=["工程建设领域"])]
    population: Annotated[Population, Field(description="范围")]


class PopulationOut(Schema):
    """A filter that plans may use."""

    id: UUID
    name: Annotated[str, Field(description="名称", examples=["工程建设领域"])]
    population: Population
    made_at: datetime


@routes.post(
    "",
    roles=OVERSIGHT,
    body=PopulationIn,
    reply=PopulationOut,
    status=201,
    summary="保存抽取范围",
    errors=("unit_not_found", "campaign_not_found", "unit_needed", "population_name_taken"),
)
async def save(scope: Scope, body: PopulationIn) -> PopulationOut:
    return PopulationOut.model_validate(await lookbacks.save_population(body.name, body.population, by=scope))


@routes.get("", roles=OVERSIGHT, query=Listing, reply=Page[PopulationOut], summary="已保存的抽取范围")
async def listing(scope: Scope, query: Listing) -> Page[PopulationOut]:
    (after,) = read_cursor(query.after, UUID) or (None,)
    found = await lookbacks.populations(by=scope, after=after, limit=query.limit)
    next_ = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[PopulationOut](items=[PopulationOut.model_validate(saved) for saved in found], next=next_)


@routes.delete(
    "/<population_id:uuid>", roles=OVERSIGHT, reply=PopulationOut, summary="停用抽取范围", errors=("not_found",)
)
async def retire(scope: Scope, population_id: UUID) -> PopulationOut:
    """计划里已用的范围不变。"""
    return PopulationOut.model_validate(await lookbacks.retire_population(population_id, by=scope))
