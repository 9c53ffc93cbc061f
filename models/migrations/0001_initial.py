from tortoise import migrations
from tortoise.migrations import operations as ops
from models.base.ids import new_id
from models.base.outbox import PromiseState
from models.base.scope import Role
from models.organization.tables import PostRank, UnitKind
from orjson import loads
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields
from tortoise.indexes import Index, PartialIndex

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='AuditBlock',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('height', fields.BigIntField()),
                ('rows', fields.IntField()),
                ('last_tx', fields.BigIntField()),
                ('last_id', fields.UUIDField()),
                ('previous', fields.BinaryField()),
                ('hash', fields.BinaryField()),
                ('sealed_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'audit_block', 'app': 'models', 'pk_attr': 'id', 'table_description': 'A run of rows, in order, bound to the block before it. Covers `rows` rows up to `(last_tx, last_id)`.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='AuditRow',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('tx', fields.BigIntField()),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('actor', fields.CharField(max_length=80)),
                ('action', fields.CharField(max_length=64)),
                ('subject_type', fields.CharField(max_length=32)),
                ('subject_id', fields.UUIDField()),
                ('data', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('hash', fields.BinaryField()),
            ],
            options={'table': 'audit', 'app': 'models', 'indexes': [Index(fields=['zone_id', 'tx', 'id'], name='audit_in_sealing_order'), Index(fields=['zone_id', 'subject_id', 'id'], name='audit_of_one_subject')], 'pk_attr': 'id', 'table_description': "One act: who did what to which thing, when. `data` holds ids, states and reasons' codes, never personal data."},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Person',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('staff_no', fields.CharField(max_length=32)),
                ('name', fields.CharField(max_length=40)),
                ('phone', fields.CharField(max_length=11)),
                ('active', fields.BooleanField(default=True)),
            ],
            options={'table': 'person', 'app': 'models', 'pk_attr': 'id', 'table_description': 'Somebody of the roster. `active` ends with the roster, never by deletion.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Binding',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('person', fields.ForeignKeyField('models.Person', source_field='person_id', db_constraint=True, to_field='id', on_delete=OnDelete.RESTRICT)),
                ('openid', fields.CharField(max_length=64)),
                ('unionid', fields.CharField(null=True, max_length=64)),
                ('bound_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('unbound_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('unbound_why', fields.CharField(null=True, max_length=32)),
            ],
            options={'table': 'binding', 'app': 'models', 'pk_attr': 'id', 'table_description': "A person's WeChat: one openid a person, one person an openid, as long as it is not unbound."},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Delegation',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('person', fields.ForeignKeyField('models.Person', source_field='person_id', db_constraint=True, to_field='id', related_name='delegations', on_delete=OnDelete.RESTRICT)),
                ('delegate', fields.ForeignKeyField('models.Person', source_field='delegate_id', db_constraint=True, to_field='id', related_name='delegated', on_delete=OnDelete.RESTRICT)),
                ('from_on', fields.DateField()),
                ('until_on', fields.DateField()),
                ('ended_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'delegation', 'app': 'models', 'indexes': [Index(fields=['zone_id', 'person_id', 'until_on'], name='delegation_of_person')], 'pk_attr': 'id', 'table_description': "While absent, `person`'s matters go to `delegate` (days included)."},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Promise',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('job', fields.CharField(max_length=64)),
                ('payload', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('key', fields.CharField(null=True, max_length=160)),
                ('state', fields.CharEnumField(default=PromiseState.WAITING, description='WAITING: waiting\nKEPT: kept\nQUARANTINED: quarantined', enum_type=PromiseState, max_length=16)),
                ('due_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('next_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('lease', fields.UUIDField(null=True)),
                ('attempts', fields.IntField(default=0)),
                ('last_error', fields.CharField(null=True, max_length=300)),
                ('made_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('kept_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'outbox', 'app': 'models', 'indexes': [PartialIndex(fields=['zone_id', 'next_at'], name='outbox_due', condition={'state': 'waiting'})], 'pk_attr': 'id', 'table_description': 'One piece of work owed. `next_at` is the earliest moment that anyone may (again) try it.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='UnbindingProposal',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('person', fields.ForeignKeyField('models.Person', source_field='person_id', db_constraint=True, to_field='id', on_delete=OnDelete.RESTRICT)),
                ('proposed_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('decided_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('accepted', fields.BooleanField(null=True)),
            ],
            options={'table': 'unbinding_proposal', 'app': 'models', 'pk_attr': 'id', 'table_description': 'A person who vanished from the roster: an admin decides whether the binding ends.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Unit',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('code', fields.CharField(max_length=32)),
                ('name', fields.CharField(max_length=120)),
                ('kind', fields.CharEnumField(description='WORK_COMMITTEE: work_committee\nDISCIPLINE_COMMITTEE: discipline_committee\nDEPARTMENT: department\nSUBDISTRICT: subdistrict\nVILLAGE: village\nGROUP: group\nGROUP_COMMISSION: group_commission\nSOE: soe', enum_type=UnitKind, max_length=24)),
                ('parent', fields.ForeignKeyField('models.Unit', source_field='parent_id', null=True, db_constraint=True, to_field='id', related_name='children', on_delete=OnDelete.RESTRICT)),
                ('path', fields.CharField(max_length=400)),
                ('active', fields.BooleanField(default=True)),
            ],
            options={'table': 'unit', 'app': 'models', 'indexes': [Index(fields=['zone_id', 'path'], name='unit_of_subtree')], 'pk_attr': 'id', 'table_description': 'A unit of the tree. `path` is `/root-code/…/own-code/`: a subtree is a prefix.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Post',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('unit', fields.ForeignKeyField('models.Unit', source_field='unit_id', db_constraint=True, to_field='id', on_delete=OnDelete.RESTRICT)),
                ('title', fields.CharField(max_length=80)),
                ('rank', fields.CharEnumField(description='PRINCIPAL: principal\nDEPUTY: deputy\nMEMBER: member', enum_type=PostRank, max_length=16)),
            ],
            options={'table': 'post', 'app': 'models', 'pk_attr': 'id', 'table_description': 'A post in a unit; who holds it, and when, are appointments.'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Appointment',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('person', fields.ForeignKeyField('models.Person', source_field='person_id', db_constraint=True, to_field='id', on_delete=OnDelete.RESTRICT)),
                ('post', fields.ForeignKeyField('models.Post', source_field='post_id', db_constraint=True, to_field='id', on_delete=OnDelete.RESTRICT)),
                ('from_on', fields.DateField()),
                ('until_on', fields.DateField(null=True)),
                ('acting', fields.BooleanField(default=False)),
            ],
            options={'table': 'appointment', 'app': 'models', 'indexes': [Index(fields=['zone_id', 'post_id'], name='appointment_of_post')], 'pk_attr': 'id', 'table_description': 'A person on a post, from a day until a day (included; open where null).'},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='RoleGrant',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('zone_id', fields.UUIDField()),
                ('person', fields.ForeignKeyField('models.Person', source_field='person_id', db_constraint=True, to_field='id', on_delete=OnDelete.RESTRICT)),
                ('role', fields.CharEnumField(description='CADRE: cadre\nUNIT_LEADER: unit_leader\nINSPECTOR: inspector\nOVERSIGHT: oversight\nADMIN: admin\nSECURITY_ADMIN: security_admin\nAUDITOR: auditor', enum_type=Role, max_length=16)),
                ('unit', fields.ForeignKeyField('models.Unit', source_field='unit_id', db_constraint=True, to_field='id', on_delete=OnDelete.RESTRICT)),
            ],
            options={'table': 'role_grant', 'app': 'models', 'pk_attr': 'id', 'table_description': "A role of a person over a unit's subtree."},
            bases=['Row'],
        ),
        ops.CreateModel(
            name='Zone',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ('code', fields.CharField(unique=True, max_length=32)),
                ('name', fields.CharField(max_length=80)),
                ('settings', fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'zone', 'app': 'models', 'pk_attr': 'id', 'table_description': 'The tenant. `settings` overrides the defaults of the rules that name them (quiet hours, budget, templates).'},
            bases=['Model'],
        ),
    ]
