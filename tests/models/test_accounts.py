"""Rules of signing in, on their own."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pyotp
import pytest

from models import accounts, organization
from models.accounts import Accesses, Attempt, KeptAnswer, Session, Signer, SignIn, idempotency, passwords
from models.base import clock, database
from models.base.database import in_transaction
from models.base.errors import Conflict, Forbidden, Invalid, TooMany, Unauthenticated
from models.base.scope import Grant, Role, Scope
from models.organization import Binding, Person, RoleGrant, Unit, UnitKind, Zone

Moves = Callable[..., None]
PASSWORD = "Gai-guo-2026-mima"
SIGNER = Signer("s" * 40)


@pytest.fixture
async def unit(zone: Zone) -> Unit:
    return await Unit.create(zone_id=zone.id, code="cyj", name="产业发展局", kind=UnitKind.DEPARTMENT, path="/cyj/")


@pytest.fixture
async def wang(zone: Zone, unit: Unit) -> Person:
    wang = await Person.create(zone_id=zone.id, staff_no="1", name="王静", phone="13900000001")
    await RoleGrant.create(zone_id=zone.id, person=wang, role=Role.CADRE, unit=unit)
    return wang


@pytest.fixture
async def binding(wang: Person) -> Binding:
    return await accounts.bind(wang, "openid-1", None)


def _sign_in_of(tokens: accounts.Tokens):
    return SIGNER.read_access_token(tokens.access)


async def test_many_who_ask_at_once_are_read_in_one_statement_and_then_remembered(binding: Binding) -> None:
    signed_in = [await accounts.open_sign_in(binding, signer=SIGNER) for _ in range(20)]
    accesses = Accesses()
    read = await asyncio.gather(*(accesses.of(_sign_in_of(tokens)) for tokens in signed_in))
    assert all(access and access.scope.grants == (Grant(Role.CADRE, "/cyj/"),) for access in read)
    again = await accesses.of(_sign_in_of(signed_in[0]))
    assert again is read[0]


async def test_an_ended_sign_in_gives_no_access(binding: Binding, wang: Person) -> None:
    tokens = await accounts.open_sign_in(binding, signer=SIGNER)
    accesses = Accesses()
    by = Scope(wang.zone_id, f"person:{wang.id}", person_id=wang.id)
    await accounts.sign_out(_sign_in_of(tokens), by=by)
    assert await accesses.of(_sign_in_of(tokens)) is None
    assert await accesses.of(uuid4()) is None


async def test_nobody_signs_out_another_persons_phone(binding: Binding, zone: Zone) -> None:
    tokens = await accounts.open_sign_in(binding, signer=SIGNER)
    await accounts.sign_out(_sign_in_of(tokens), by=Scope(zone.id, "person:x", person_id=uuid4()))
    assert await Accesses().of(_sign_in_of(tokens)) is not None


async def test_of_two_refreshes_at_once_with_one_token_only_one_passes(binding: Binding) -> None:
    tokens = await accounts.open_sign_in(binding, signer=SIGNER)
    both = await asyncio.gather(
        *(accounts.refresh(tokens.refresh, signer=SIGNER) for _ in range(2)), return_exceptions=True
    )
    refused = [one for one in both if isinstance(one, Unauthenticated)]
    assert [one.code for one in refused] == ["refresh_reused"]
    assert (await SignIn.get()).ended_why == "refresh_reused"


async def test_tokens_are_kept_hashed_only(binding: Binding) -> None:
    tokens = await accounts.open_sign_in(binding, signer=SIGNER)
    rows = await database.fetch("select s::text as whole from sign_in s")
    assert all(tokens.refresh not in row["whole"] and len(row["whole"]) for row in rows)


async def test_a_sign_in_ends_after_thirty_days(binding: Binding, clock_moves: Moves) -> None:
    tokens = await accounts.open_sign_in(binding, signer=SIGNER)
    clock_moves(days=30, seconds=1)
    with pytest.raises(Unauthenticated, match="refresh_expired"):
        await accounts.refresh(tokens.refresh, signer=SIGNER)


def test_what_is_sealed_for_one_purpose_is_nothing_for_another() -> None:
    sealed = SIGNER.seal("totp", "secret")
    assert SIGNER.unseal("totp", sealed) == "secret" and "secret" not in sealed
    for other, purpose in ((SIGNER, "binding"), (Signer("t" * 40), "totp")):
        with pytest.raises(Unauthenticated, match="ticket_invalid"):
            other.unseal(purpose, sealed)


def test_a_short_signing_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        Signer("short")


@pytest.mark.parametrize("weak", ["Short-1", "alllowercaseletters", "Lijianguo-2026-x", "A1-" + "x" * 130])
def test_a_weak_password_is_refused(weak: str) -> None:
    with pytest.raises(Invalid, match="weak_password"):
        passwords.check_strength(weak, "lijianguo", "/new")


def test_a_generated_password_is_strong_enough() -> None:
    passwords.check_strength(passwords.generated(), "lijianguo", "/new")


def test_a_code_of_the_step_before_or_after_is_good_but_never_a_used_one() -> None:
    secret = pyotp.random_base32()
    now = int(clock.now().timestamp()) // 30
    code_of = pyotp.TOTP(secret).generate_otp
    assert [passwords.step_of(secret, code_of(now + shift), 0) for shift in (-1, 0, 1)] == [now - 1, now, now + 1]
    assert passwords.step_of(secret, code_of(now), now) is None
    assert passwords.step_of(secret, code_of(now - 3), 0) is None


async def _account(zone: Zone, wang: Person, login: str = "wangjing") -> accounts.Credentials:
    return await accounts.create_account(wang.id, login, by=Scope.system(zone.id), signer=SIGNER)


async def test_an_account_is_made_by_the_security_admin_only(zone: Zone, wang: Person) -> None:
    for role in (Role.ADMIN, Role.AUDITOR, Role.OVERSIGHT):
        by = Scope(zone.id, "account:x", grants=(Grant(role, "/"),))
        with pytest.raises(Forbidden):
            await accounts.create_account(wang.id, "wangjing", by=by, signer=SIGNER)


async def test_one_code_opens_one_session_however_many_try_it_at_once(zone: Zone, wang: Person) -> None:
    made = await _account(zone, wang)
    code = pyotp.parse_uri(made.totp_uri).at(clock.now())
    tried = await asyncio.gather(
        *(accounts.sign_in("wangjing", made.password, code, signer=SIGNER) for _ in range(3)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in tried) == ["Unauthenticated", "Unauthenticated", "str"]
    assert await Session.all().count() == 1


async def test_guesses_made_all_at_once_gain_nothing(zone: Zone, wang: Person) -> None:
    await _account(zone, wang)
    tried = await asyncio.gather(
        *(accounts.sign_in("wangjing", f"Guess-number-{n}", "000000", signer=SIGNER) for n in range(12)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, TooMany) for one in tried) == 7


async def test_a_success_clears_the_failures(zone: Zone, wang: Person) -> None:
    made = await _account(zone, wang)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await accounts.sign_in("WangJing ", "Not-the-password-1", "000000", signer=SIGNER)
    code = pyotp.parse_uri(made.totp_uri).at(clock.now())
    await accounts.sign_in("WangJing ", made.password, code, signer=SIGNER)
    assert await Attempt.all().count() == 0


async def test_who_leaves_office_is_out_of_the_console(zone: Zone, wang: Person) -> None:
    made = await _account(zone, wang)
    code = pyotp.parse_uri(made.totp_uri).at(clock.now())
    token = await accounts.sign_in("wangjing", made.password, code, signer=SIGNER)
    assert await accounts.session_of(token)
    await Person.filter(id=wang.id).update(active=False)
    assert await accounts.session_of(token) is None


async def test_an_answer_is_kept_for_its_caller_only(zone: Zone) -> None:
    key, digest = uuid4(), b"d" * 32
    one, other = Scope(zone.id, "person:1"), Scope(zone.id, "person:2")
    async with in_transaction():
        assert await idempotency.begin(one, key, digest) is None
        await idempotency.keep(one, key, digest, 200, "{}")
    async with in_transaction():
        kept = await idempotency.begin(one, key, digest)
        assert kept and (kept.status, kept.body) == (200, "{}")
        assert await idempotency.begin(other, key, digest) is None
        with pytest.raises(Conflict, match="idempotency_key_reused"):
            await idempotency.begin(one, key, b"e" * 32)


async def test_what_is_no_longer_needed_is_forgotten_and_the_rest_stays(
    zone: Zone, binding: Binding, clock_moves: Moves
) -> None:
    by = Scope(zone.id, "person:1")
    async with in_transaction():
        await idempotency.keep(by, uuid4(), b"d" * 32, 200, "{}")
    await accounts.open_sign_in(binding, signer=SIGNER)
    await accounts.forget_old()
    assert (await KeptAnswer.all().count(), await SignIn.all().count()) == (1, 1)
    clock.move(timedelta(days=8))
    await accounts.forget_old()
    assert (await KeptAnswer.all().count(), await SignIn.all().count()) == (0, 1)
    clock_moves(days=30)
    await accounts.forget_old()
    assert await SignIn.all().count() == 0


async def test_a_number_is_found_in_the_zone_asked_for(zone: Zone, wang: Person) -> None:
    other = await organization.create_zone(code="gxq", name="高新区")
    await Person.create(zone_id=other.id, staff_no="1", name="王静", phone=wang.phone)
    with pytest.raises(Conflict) as several:
        await accounts.person_to_bind(wang.phone, None, ticket="t")
    assert [one["code"] for one in several.value.extra["zones"]] == ["gxq", "kfq"]
    assert (await accounts.person_to_bind(wang.phone, "kfq", ticket="t")).id == wang.id
