from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import UniqueConstraint

class Migration(migrations.Migration):
    dependencies = [('models', '0001_initial')]

    operations = [
        ops.AddConstraint(
            model_name='AuditBlock',
            constraint=UniqueConstraint(fields=('zone_id', 'height'), name='audit_block_one_chain'),
        ),
        ops.AddConstraint(
            model_name='Person',
            constraint=UniqueConstraint(fields=('zone_id', 'staff_no'), name='person_staff_no_once'),
        ),
        ops.AddConstraint(
            model_name='Person',
            constraint=UniqueConstraint(fields=('zone_id', 'phone'), name='person_phone_once'),
        ),
        ops.AddConstraint(
            model_name='Binding',
            constraint=UniqueConstraint(fields=('zone_id', 'person_id'), name='binding_one_a_person', condition='unbound_at IS NULL'),
        ),
        ops.AddConstraint(
            model_name='Binding',
            constraint=UniqueConstraint(fields=('openid',), name='binding_one_an_openid', condition='unbound_at IS NULL'),
        ),
        ops.AddConstraint(
            model_name='Promise',
            constraint=UniqueConstraint(fields=('zone_id', 'key'), name='outbox_promised_once'),
        ),
        ops.AddConstraint(
            model_name='UnbindingProposal',
            constraint=UniqueConstraint(fields=('zone_id', 'person_id'), name='unbinding_proposed_once', condition='decided_at IS NULL'),
        ),
        ops.AddConstraint(
            model_name='Unit',
            constraint=UniqueConstraint(fields=('zone_id', 'code'), name='unit_code_once'),
        ),
        ops.AddConstraint(
            model_name='Post',
            constraint=UniqueConstraint(fields=('zone_id', 'unit_id', 'title', 'rank'), name='post_once'),
        ),
        ops.AddConstraint(
            model_name='Appointment',
            constraint=UniqueConstraint(fields=('zone_id', 'person_id', 'post_id', 'from_on'), name='appointment_once'),
        ),
        ops.AddConstraint(
            model_name='RoleGrant',
            constraint=UniqueConstraint(fields=('zone_id', 'person_id', 'role', 'unit_id'), name='role_grant_once'),
        ),
    ]
