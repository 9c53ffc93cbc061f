"""Filters that an office keeps by a name and uses in plan after plan."""

from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint

from models.base import audit, clock
from models.base.database import Row, atomic, locked
from models.base.errors import Conflict, NotFound
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.lookbacks.populations import Population, root_of


class SavedPopulation(Row):
    """A filter that plans use by its name: `population` is a `Population`; a plan keeps its own copy."""

    name = fields.CharField(max_length=80)
    population: dict[str, Any] = fields.JSONField()
    unit_path = fields.CharField(max_length=400)
    made_by = fields.CharField(max_length=80)
    made_at = fields.DatetimeField()
    retired_at = fields.DatetimeField(null=True)

    class Meta:
        table = "lookback_population"
        constraints = [
            UniqueConstraint(
                fields=("zone_id", "name"), name="lookback_population_name_once", condition="retired_at IS NULL"
            )
        ]
        indexes = [Index(fields=("zone_id", "id"), name="lookback_population_of_zone")]


@atomic()
async def save_population(name: str, population: Population, *, by: Scope) -> SavedPopulation:
    """Keep a filter; the same again answers the one that exists.

    Raises Forbidden, NotFound (`unit_not_found`, `campaign_not_found`), Conflict (`population_name_taken`), Invalid.
    """
    path, content = await root_of(population, by=by), population.model_dump(mode="json")
    existing = await SavedPopulation.get_or_none(zone_id=by.zone_id, name=name, retired_at__isnull=True)
    if existing is not None:
        if (existing.population, existing.unit_path) != (content, path):
            raise Conflict("population_name_taken", f"已有名为「{name}」的范围，请换一个名称，或者先停用它。")
        return existing
    made = await SavedPopulation.create(
        id=new_id(),
        zone_id=by.zone_id,
        name=name,
        population=content,
        unit_path=path,
        made_by=by.actor,
        made_at=clock.now(),
    )
    await audit.record(by, "lookback.population_saved", ("lookback_population", made.id))
    return made


async def populations(*, by: Scope, after: UUID | None = None, limit: int = 50) -> list[SavedPopulation]:
    """Newest first, after `after`: those in use within the caller's oversight."""
    mine = SavedPopulation.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id, retired_at__isnull=True)
    return await (mine.filter(id__lt=after) if after else mine).order_by("-id").limit(limit)


async def population_named(name: str, *, by: Scope) -> SavedPopulation:
    """Raises NotFound (`population_not_found`), also outside the caller's oversight."""
    mine = SavedPopulation.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id, retired_at__isnull=True)
    found = await mine.get_or_none(name=name)
    if found is None:
        raise NotFound("population_not_found", f"没有名为「{name}」的范围，或者不在您的监督范围内。")
    return found


@atomic()
async def retire_population(population_id: UUID, *, by: Scope) -> SavedPopulation:
    """It is offered no more; plans made from it keep their copy. Raises NotFound."""
    mine = SavedPopulation.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id)
    found = await locked(mine, population_id)
    if found.retired_at is None:
        found.retired_at = clock.now()
        await found.save(update_fields=["retired_at"])
        await audit.record(by, "lookback.population_retired", ("lookback_population", found.id))
    return found
