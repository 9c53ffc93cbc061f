"""The tables of signing in: phones' sign-ins, console accounts and their sessions, service tokens."""

from enum import StrEnum

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint

from models.base.database import Row


class SignIn(Row):
    """One phone's sign-in and all refresh tokens descended from it; only the newest one, hashed, is good.

    It holds as long as the binding it came from does.
    """

    person_id = fields.UUIDField()
    binding_id = fields.UUIDField()
    generation = fields.IntField(default=0)
    token_hash = fields.BinaryField()
    began_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)
    ended_why = fields.CharField(max_length=24, null=True)

    class Meta:
        table = "sign_in"
        indexes = [Index(fields=("zone_id", "person_id"), name="sign_in_of_person")]


class Account(Row):
    """A console login of a person of the roster, whose role grants say what it may do."""

    person_id = fields.UUIDField()
    login = fields.CharField(max_length=64)
    password_hash = fields.CharField(max_length=200)
    totp_sealed = fields.CharField(max_length=400)
    totp_step = fields.BigIntField(default=0)
    must_change_password = fields.BooleanField(default=True)
    active = fields.BooleanField(default=True)
    version = fields.IntField(default=1)
    created_at = fields.DatetimeField()

    class Meta:
        table = "account"
        constraints = [
            UniqueConstraint(fields=("login",), name="account_login_once"),
            UniqueConstraint(fields=("zone_id", "person_id"), name="account_one_a_person"),
        ]


class Attempt(Row):
    """Failed console sign-ins under one login, known or not: both are locked out alike, so nobody learns which exist.

    Of no zone (`NO_ZONE`): a login that is unknown has none. `key` is SHA-256 of the login.
    """

    key = fields.BinaryField()
    failures = fields.IntField()
    last_at = fields.DatetimeField()
    locked_until = fields.DatetimeField()

    class Meta:
        table = "sign_in_attempt"
        constraints = [UniqueConstraint(fields=("zone_id", "key"), name="sign_in_attempt_of_login")]


class Session(Row):
    """A browser that is signed in. The cookie's token is kept hashed only."""

    account_id = fields.UUIDField()
    token_hash = fields.BinaryField()
    began_at = fields.DatetimeField()
    seen_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "console_session"
        constraints = [UniqueConstraint(fields=("token_hash",), name="console_session_of_token")]
        indexes = [Index(fields=("zone_id", "account_id"), name="console_session_of_account")]


class Feed(StrEnum):
    """What a service token may do."""

    MONITORS = "monitors.feed"


class ServiceToken(Row):
    """Another platform's key. Shown once, kept hashed, limited to some feeds and to a time."""

    name = fields.CharField(max_length=80)
    feeds: list[str] = fields.JSONField()
    token_hash = fields.BinaryField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "service_token"
        constraints = [UniqueConstraint(fields=("token_hash",), name="service_token_of_hash")]
        indexes = [Index(fields=("zone_id", "created_at"), name="service_token_by_age")]
