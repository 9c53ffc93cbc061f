from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint

class Migration(migrations.Migration):
    dependencies = [('models', '0001_initial')]

    operations = [
        ops.AddConstraint(
            model_name='Account',
            constraint=UniqueConstraint(fields=('login',), name='account_login_once'),
        ),
        ops.AddConstraint(
            model_name='Account',
            constraint=UniqueConstraint(fields=('zone_id', 'person_id'), name='account_one_a_person'),
        ),
        ops.AddConstraint(
            model_name='Alarm',
            constraint=UniqueConstraint(fields=('zone_id', 'kind', 'subject'), name='alarm_open_once', condition='cleared_at IS NULL'),
        ),
        ops.AddConstraint(
            model_name='Attempt',
            constraint=UniqueConstraint(fields=('zone_id', 'key'), name='sign_in_attempt_of_login'),
        ),
        ops.AddConstraint(
            model_name='AuditBlock',
            constraint=UniqueConstraint(fields=('zone_id', 'height'), name='audit_block_one_chain'),
        ),
        ops.AddConstraint(
            model_name='Blob',
            constraint=UniqueConstraint(fields=('zone_id', 'sha256'), name='blob_once'),
        ),
        ops.AddConstraint(
            model_name='Campaign',
            constraint=UniqueConstraint(fields=('zone_id', 'name'), name='campaign_name_once'),
        ),
        ops.AddConstraint(
            model_name='Consent',
            constraint=UniqueConstraint(fields=('zone_id', 'openid', 'template'), name='consent_of_phone'),
        ),
        ops.AddConstraint(
            model_name='Consent',
            constraint=CheckConstraint(check='remaining >= 0', name='consent_never_below_zero'),
        ),
        ops.AddConstraint(
            model_name='Delivery',
            constraint=UniqueConstraint(fields=('zone_id', 'key'), name='delivery_owed_once'),
        ),
        ops.AddConstraint(
            model_name='Derivation',
            constraint=UniqueConstraint(fields=('zone_id', 'evidence_id', 'form'), name='derivation_once'),
        ),
        ops.AddConstraint(
            model_name='Draft',
            constraint=UniqueConstraint(fields=('zone_id', 'timer_id', 'addressee_id'), name='escalation_draft_once'),
        ),
        ops.AddConstraint(
            model_name='Evidence',
            constraint=UniqueConstraint(fields=('zone_id', 'client_id'), name='evidence_submitted_once'),
        ),
        ops.AddConstraint(
            model_name='Follower',
            constraint=UniqueConstraint(fields=('zone_id', 'openid'), name='follower_once'),
        ),
        ops.AddConstraint(
            model_name='FrozenDraw',
            constraint=UniqueConstraint(fields=('zone_id', 'plan_id'), name='lookback_frozen_once'),
        ),
        ops.AddConstraint(
            model_name='Hold',
            constraint=UniqueConstraint(fields=('zone_id', 'sha256'), name='hold_once'),
        ),
        ops.AddConstraint(
            model_name='HolidayNotice',
            constraint=UniqueConstraint(fields=('zone_id', 'year', 'version'), name='holiday_notice_version_once'),
        ),
        ops.AddConstraint(
            model_name='KeptAnswer',
            constraint=UniqueConstraint(fields=('zone_id', 'caller', 'key'), name='kept_answer_once'),
        ),
        ops.AddConstraint(
            model_name='Likeness',
            constraint=UniqueConstraint(fields=('zone_id', 'evidence_id', 'other_id'), name='likeness_once'),
        ),
        ops.AddConstraint(
            model_name='Look',
            constraint=UniqueConstraint(fields=('zone_id', 'kind', 'number'), name='look_numbered'),
        ),
        ops.AddConstraint(
            model_name='LookbackPlan',
            constraint=UniqueConstraint(fields=('zone_id', 'name'), name='lookback_plan_name_once'),
        ),
        ops.AddConstraint(
            model_name='LookbackPlan',
            constraint=UniqueConstraint(fields=('zone_id', 'series_id', 'period_from'), name='lookback_plan_once_a_period'),
        ),
        ops.AddConstraint(
            model_name='LookbackDraw',
            constraint=UniqueConstraint(fields=('zone_id', 'plan_id'), name='lookback_drawn_once'),
        ),
        ops.AddConstraint(
            model_name='LookbackSeries',
            constraint=UniqueConstraint(fields=('zone_id', 'name'), name='lookback_series_name_once'),
        ),
        ops.AddConstraint(
            model_name='MonthFigure',
            constraint=UniqueConstraint(fields=('zone_id', 'month', 'unit_id'), name='month_frozen_once'),
        ),
        ops.AddConstraint(
            model_name='NumberSeries',
            constraint=UniqueConstraint(fields=('zone_id', 'list', 'year'), name='number_series_once'),
        ),
        ops.AddConstraint(
            model_name='Pack',
            constraint=UniqueConstraint(fields=('zone_id', 'subject_id', 'asked_by'), name='pack_one_under_way', condition="state IN ('waiting', 'building')"),
        ),
        ops.AddConstraint(
            model_name='Pause',
            constraint=UniqueConstraint(fields=('zone_id', 'channel'), name='channel_paused_once', condition='resumed_at IS NULL'),
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
            model_name='DeletionRequest',
            constraint=UniqueConstraint(fields=('zone_id', 'person_id'), name='deletion_asked_once', condition="state = 'waiting'"),
        ),
        ops.AddConstraint(
            model_name='Policy',
            constraint=UniqueConstraint(fields=('zone_id', 'code', 'version'), name='escalation_policy_version_once'),
        ),
        ops.AddConstraint(
            model_name='Promise',
            constraint=UniqueConstraint(fields=('zone_id', 'key'), name='outbox_promised_once'),
        ),
        ops.AddConstraint(
            model_name='Recusal',
            constraint=UniqueConstraint(fields=('zone_id', 'person_id', 'other_id'), name='recusal_declared_once', condition='ended_at IS NULL'),
        ),
        ops.AddConstraint(
            model_name='Reminder',
            constraint=UniqueConstraint(fields=('zone_id', 'key', 'alerts'), name='reminder_once'),
        ),
        ops.AddConstraint(
            model_name='SavedPopulation',
            constraint=UniqueConstraint(fields=('zone_id', 'name'), name='lookback_population_name_once', condition='retired_at IS NULL'),
        ),
        ops.AddConstraint(
            model_name='ServiceToken',
            constraint=UniqueConstraint(fields=('token_hash',), name='service_token_of_hash'),
        ),
        ops.AddConstraint(
            model_name='Session',
            constraint=UniqueConstraint(fields=('token_hash',), name='console_session_of_token'),
        ),
        ops.AddConstraint(
            model_name='Timer',
            constraint=UniqueConstraint(fields=('zone_id', 'watch_id', 'policy_code', 'step', 'counted_on'), name='escalation_timer_once'),
        ),
        ops.AddConstraint(
            model_name='Trace',
            constraint=UniqueConstraint(fields=('zone_id', 'evidence_id'), name='trace_once'),
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
            model_name='Item',
            constraint=UniqueConstraint(fields=('zone_id', 'number'), name='item_number_once'),
        ),
        ops.AddConstraint(
            model_name='Item',
            constraint=UniqueConstraint(fields=('zone_id', 'filed_for'), name='item_filed_once'),
        ),
        ops.AddConstraint(
            model_name='Cycle',
            constraint=UniqueConstraint(fields=('zone_id', 'item_id', 'number'), name='cycle_number_once'),
        ),
        ops.AddConstraint(
            model_name='Extension',
            constraint=UniqueConstraint(fields=('zone_id', 'item_id'), name='extension_one_waiting', condition="state IN ('unit_waiting', 'oversight_waiting')"),
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
            model_name='RelapsePattern',
            constraint=UniqueConstraint(fields=('zone_id', 'unit_id', 'list', 'area'), name='relapse_pattern_proposed_once', condition="state = 'proposed'"),
        ),
        ops.AddConstraint(
            model_name='RoleGrant',
            constraint=UniqueConstraint(fields=('zone_id', 'person_id', 'role', 'unit_id'), name='role_grant_once'),
        ),
        ops.AddConstraint(
            model_name='SiteCode',
            constraint=UniqueConstraint(fields=('scene',), name='site_code_scene_once'),
        ),
        ops.AddConstraint(
            model_name='SiteCode',
            constraint=UniqueConstraint(fields=('zone_id', 'unit_id', 'name'), name='site_code_in_force_once', condition='revoked_at IS NULL'),
        ),
        ops.AddConstraint(
            model_name='Upload',
            constraint=UniqueConstraint(fields=('zone_id', 'client_id'), name='upload_begun_once'),
        ),
        ops.AddConstraint(
            model_name='UploadDay',
            constraint=UniqueConstraint(fields=('zone_id', 'day', 'person_id'), name='upload_day_once'),
        ),
        ops.AddConstraint(
            model_name='UploadPart',
            constraint=UniqueConstraint(fields=('zone_id', 'upload_id', 'starts_at'), name='upload_part_once'),
        ),
        ops.AddConstraint(
            model_name='Visit',
            constraint=UniqueConstraint(fields=('zone_id', 'plan_id', 'item_id'), name='visit_once_a_plan'),
        ),
        ops.AddConstraint(
            model_name='VisitRecord',
            constraint=UniqueConstraint(fields=('zone_id', 'client_id'), name='visit_record_sent_once'),
        ),
        ops.AddConstraint(
            model_name='VisitRecord',
            constraint=UniqueConstraint(fields=('zone_id', 'visit_id'), name='visit_first_record', condition='corrects IS NULL'),
        ),
        ops.AddConstraint(
            model_name='VisitRecord',
            constraint=UniqueConstraint(fields=('zone_id', 'corrects'), name='visit_record_corrected_once'),
        ),
        ops.AddConstraint(
            model_name='Cosignature',
            constraint=UniqueConstraint(fields=('zone_id', 'record_id'), name='visit_record_cosigned_once'),
        ),
        ops.AddConstraint(
            model_name='Watch',
            constraint=UniqueConstraint(fields=('zone_id', 'item_id', 'cycle'), name='escalation_watch_once'),
        ),
    ]
