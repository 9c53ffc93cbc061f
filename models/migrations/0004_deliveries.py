from tortoise import migrations
from tortoise.migrations import operations as ops
from models.base.alarms import AlarmKind
from models.base.ids import new_id
from models.base.outbox import PromiseState
from models.deliveries.tables import Channel
from tortoise.contrib.postgres.fields import ArrayField
from tortoise import fields
from tortoise.indexes import PartialIndex
from tortoise.migrations.constraints import UniqueConstraint

class Migration(migrations.Migration):
    dependencies = [('models', '0003_postgres')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Alarm',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('kind', fields.CharEnumField(description='PROMISES_LATE: promises_late\nPROMISE_QUARANTINED: promise_quarantined\nTIMERS_LATE: timers_late\nDELIVERIES_LATE: deliveries_late\nDELIVERY_STUCK: delivery_stuck\nUNKNOWN_UNRESOLVED: unknown_unresolved\nCONSENTS_AT_ODDS: consents_at_odds\nCHANNEL_PAUSED: channel_paused\nAUDIT_UNSEALED: audit_unsealed\nPLATFORM_REFUSES: platform_refuses', enum_type=AlarmKind, max_length=32)),
                ('subject', fields.CharField(max_length=80)),
                ('detail', fields.CharField(max_length=300)),
                ('raised_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('holds_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('cleared_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'alarm', 'app': 'models', 'pk_attr': 'id', 'table_description': 'One thing that is wrong: `kind` and `subject` (a job, a channel, a code, an id) name it, `detail` has figures.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Pause',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('channel', fields.CharEnumField(description='IN_APP: in_app\nSUBSCRIBE: subscribe\nTEMPLATE: template\nWECOM: wecom\nSMS: sms', enum_type=Channel, max_length=16)),
                ('reason', fields.CharField(max_length=200)),
                ('paused_by', fields.CharField(max_length=80)),
                ('paused_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('resumed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'channel_pause', 'app': 'models', 'pk_attr': 'id', 'table_description': 'A channel that an admin has stopped for a while; one at a time.'},
            bases=['Row'],
        ),
        ops.AddField(
            model_name='Consent',
            name='accepted',
            field=ArrayField(null=True, element_type='TIMESTAMPTZ'),
        ),
        ops.AddField(
            model_name='Consent',
            name='revoked_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AlterField(
            model_name='Delivery',
            name='channel',
            field=fields.CharEnumField(null=True, description='IN_APP: in_app\nSUBSCRIBE: subscribe\nTEMPLATE: template\nWECOM: wecom\nSMS: sms', enum_type=Channel, max_length=16),
        ),
        ops.AddIndex(
            model_name='Delivery',
            index=PartialIndex(fields=['zone_id', 'settled_at'], name='delivery_unknown_since', condition={'state': 'unknown'}),
        ),
        ops.AddIndex(
            model_name='Delivery',
            index=PartialIndex(fields=['zone_id', 'id'], name='delivery_waits_for_channel', condition={'reason': 'channel_paused'}),
        ),
        ops.AddField(
            model_name='Person',
            name='wecom',
            field=fields.CharField(null=True, max_length=64),
        ),
        ops.AlterField(
            model_name='Promise',
            name='state',
            field=fields.CharEnumField(default=PromiseState.WAITING, description='WAITING: waiting\nKEPT: kept\nQUARANTINED: quarantined\nDISCARDED: discarded', enum_type=PromiseState, max_length=16),
        ),
        ops.AddField(
            model_name='Promise',
            name='discard_reason',
            field=fields.CharField(null=True, max_length=300),
        ),
        ops.AddIndex(
            model_name='Promise',
            index=PartialIndex(fields=['zone_id', 'id'], name='outbox_in_quarantine', condition={'state': 'quarantined'}),
        ),
        ops.AddConstraint(
            model_name='Alarm',
            constraint=UniqueConstraint(fields=('zone_id', 'kind', 'subject'), name='alarm_open_once', condition='cleared_at IS NULL'),
        ),
        ops.AddConstraint(
            model_name='Pause',
            constraint=UniqueConstraint(fields=('zone_id', 'channel'), name='channel_paused_once', condition='resumed_at IS NULL'),
        ),
    ]
