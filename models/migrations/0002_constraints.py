"""What Tortoise leaves out of a new table and says nothing of: the constraints of its model (its issue 2272)."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.schema_editor.base import BaseSchemaEditor
from tortoise.migrations.schema_generator.state import State


class AddAllConstraints(ops.TortoiseOperation):
    """Those of every model, in one operation: before each of sixty Tortoise would copy the state of all models."""

    async def database_forward(
        self, app_label: str, old_state: State, new_state: State, state_editor: BaseSchemaEditor | None = None
    ) -> None:
        """Called by Tortoise."""
        assert state_editor is not None
        for model in new_state.apps.apps[app_label].values():
            for constraint in model._meta.constraints:
                await state_editor.add_constraint(model, constraint)


class Migration(migrations.Migration):
    """All constraints of the first step."""

    dependencies = [("models", "0001_initial")]

    operations = [AddAllConstraints()]
