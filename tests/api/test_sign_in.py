"""Signing in, and everything that must not pass for it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest

from models import accounts, organization
from models.accounts import Feed, Signer
from models.base import clock
from models.base.scope import Grant, Role, Scope
from models.base.settings import Settings
from models.organization import Person, RoleGrant, Unit, UnitKind, Zone
from tests.api.conftest import Answer, Desk, Phone, number, person

ME = "/api/mini/me"
SESSION = "/api/console/session"
Moves = Callable[..., None]


async def test_a_phone_of_the_roster_binds_once_and_then_signs_in_by_itself(phone_of: Any, wang: Person) -> None:
    phone = await phone_of(wang.phone)
    first = await phone.sign_in()
    assert (first.content["state"], first.content["tokens"]) == ("to_bind", None)
    bound = await phone.bind(first.content["ticket"])
    assert bound.content["me"]["name"] == "王静"
    assert [(role["role"], role["unit"]) for role in bound.content["me"]["roles"]] == [("cadre", "产业发展局")]
    assert (await phone.sign_in()).content["state"] == "signed_in"
    assert (await phone.get(ME)).content["id"] == str(wang.id)


async def test_what_a_phone_gets_holds_neither_openid_nor_session_key(phone_of: Any, wang: Person) -> None:
    phone = await phone_of(wang.phone)
    ticket = (await phone.sign_in()).content["ticket"]
    answer = await phone.bind(ticket)
    assert phone.openid not in answer.text and "session_key" not in answer.text
    assert phone.openid.encode() not in base64.urlsafe_b64decode(ticket)


async def test_a_number_outside_the_roster_is_told_so(phone_of: Any, zone: Zone) -> None:
    answer = await (await phone_of(number())).enter()
    assert (answer.status, answer.code) == (404, "not_in_roster")


async def test_who_left_office_cannot_sign_in(phone_of: Any, wang: Person) -> None:
    wang.active = False
    await wang.save()
    answer = await (await phone_of(wang.phone)).enter()
    assert (answer.status, answer.code) == (403, "left_office")


async def test_somebody_bound_elsewhere_is_sent_to_the_admin(phone: Phone, phone_of: Any, wang: Person) -> None:
    wang.phone = number()
    await wang.save()  # a new number and a new WeChat, while the old one is still bound
    answer = await (await phone_of(wang.phone)).enter()
    assert (answer.status, answer.code) == (409, "person_bound_elsewhere")


async def test_a_number_in_two_zones_chooses_one_without_a_second_code(phone_of: Any, zone: Zone, wang: Person) -> None:
    other = await organization.create_zone(code=f"gxq-{uuid4().hex[:8]}", name="高新区")
    there = await Person.create(zone_id=other.id, staff_no="1", name="王静", phone=wang.phone)
    phone = await phone_of(wang.phone)
    asked = await phone.enter()
    assert (asked.status, asked.code) == (409, "several_zones")
    assert {one["code"] for one in asked.content["zones"]} == {zone.code, other.code}
    chosen = await phone.post("/api/mini/bind", {"ticket": asked.content["ticket"], "zone": other.code})
    assert chosen.content["me"]["id"] == str(there.id)


@pytest.mark.parametrize("kind", ["login", "phone_code"])
async def test_a_used_or_made_up_code_is_refused(phone_of: Any, wang: Person, kind: str) -> None:
    phone = await phone_of(wang.phone)
    ticket = (await phone.sign_in()).content["ticket"]
    code = await phone.code(kind)

    async def give(attempt: str) -> Answer:
        if kind == "login":
            return await phone.post("/api/mini/sign-in", {"code": attempt})
        return await phone.post("/api/mini/bind", {"ticket": ticket, "phone_code": attempt})

    assert (await give(code)).status == 200
    for bad in (code, "made-up"):
        answer = await give(bad)
        assert (answer.status, answer.code) == (422, "wechat_code_invalid")


async def test_a_ticket_ends_and_cannot_be_made_up(phone_of: Any, wang: Person, clock_moves: Moves) -> None:
    phone = await phone_of(wang.phone)
    ticket = (await phone.sign_in()).content["ticket"]
    assert (await phone.bind("x" + ticket[1:])).code == "ticket_invalid"
    clock_moves(minutes=16)
    assert (await phone.bind(ticket)).code == "ticket_expired"


def _forged(token: str, settings: Settings) -> dict[str, str]:
    head, body, _ = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False})
    none_head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    raw_key = settings.signing_key.get_secret_value()
    return {
        "another key": jwt.encode(claims, "k" * 32, "HS256"),
        "the undivided key": jwt.encode(claims, raw_key, "HS256"),
        "no signature": f"{head}.{body}.",
        "alg none": f"{none_head}.{body}.",
        "another audience": _signed({**claims, "aud": "console"}, raw_key),
        "no session": _signed({name: claims[name] for name in ("aud", "exp", "sub")}, raw_key),
        "a session that is no id": _signed({**claims, "sid": "1"}, raw_key),
        "words": "hello",
    }


def _signed(claims: dict[str, Any], secret: str) -> str:
    key = hmac.digest(secret.encode(), b"zhuoluo access token", hashlib.sha256)
    return jwt.encode(claims, key, "HS256")


async def test_a_forged_access_token_is_refused(phone: Phone, settings: Settings) -> None:
    genuine = phone.headers["Authorization"].removeprefix("Bearer ")
    assert _signed(jwt.decode(genuine, options={"verify_signature": False}), settings.signing_key.get_secret_value())
    for how, token in _forged(genuine, settings).items():
        answer = await phone.get(ME, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status, answer.code) == (401, "token_invalid"), how
    assert (await phone.get(ME, headers={"Authorization": ""})).code == "token_missing"


async def test_an_access_token_lasts_a_quarter_of_an_hour(phone: Phone, clock_moves: Moves) -> None:
    clock_moves(minutes=14, seconds=50)
    assert (await phone.get(ME)).status == 200
    clock_moves(seconds=20)
    assert (await phone.get(ME)).code == "token_expired"
    await phone.refresh()
    assert (await phone.get(ME)).status == 200


async def test_a_refresh_token_used_twice_ends_the_whole_sign_in(phone: Phone, clock_moves: Moves) -> None:
    stolen = phone.refresh_token
    assert (await phone.refresh()).status == 200
    reused = await phone.refresh(stolen)
    assert (reused.status, reused.code) == (401, "refresh_reused")
    assert (await phone.refresh()).code == "refresh_expired"
    clock_moves(seconds=6)
    assert (await phone.get(ME)).code == "sign_in_ended"


async def test_a_made_up_refresh_token_ends_nobodys_sign_in(phone: Phone) -> None:
    raw = bytearray(base64.urlsafe_b64decode(phone.refresh_token))
    raw[30] ^= 1
    forged = base64.urlsafe_b64encode(bytes(raw)).decode()
    assert (await phone.refresh(forged)).code == "refresh_invalid"
    assert (await phone.refresh()).status == 200


async def test_signing_out_ends_access_at_once(phone: Phone) -> None:
    assert (await phone.write("/api/mini/sign-out")).status == 204
    assert (await phone.get(ME)).code == "sign_in_ended"
    assert (await phone.refresh()).code == "refresh_expired"


async def test_unbinding_ends_access_within_seconds(phone: Phone, zone: Zone, wang: Person, clock_moves: Moves) -> None:
    assert (await phone.get(ME)).status == 200
    await organization.unbind(zone.id, wang.id, why="left_office", by=Scope.system(zone.id))
    clock_moves(seconds=6)
    assert (await phone.get(ME)).code == "sign_in_ended"


async def test_a_role_given_or_taken_counts_within_seconds(
    phone: Phone, zone: Zone, bureau: Unit, wang: Person, clock_moves: Moves
) -> None:
    assert (await phone.get("/api/mini/probe/leaders")).code == "role_missing"
    grant = await RoleGrant.create(zone_id=zone.id, person=wang, role=Role.UNIT_LEADER, unit=bureau)
    clock_moves(seconds=6)
    assert (await phone.get("/api/mini/probe/leaders")).status == 200
    await grant.delete()
    clock_moves(seconds=6)
    assert (await phone.get("/api/mini/probe/leaders")).code == "role_missing"


async def test_a_phone_is_nobody_at_the_console_and_the_other_way_round(phone: Phone, desk: Desk) -> None:
    await desk.sign_in()
    assert (await phone.get(SESSION)).code == "session_ended"
    assert (await desk.get(ME)).code == "token_missing"


async def ready(desk: Desk) -> Desk:
    """Signed in, with the first password changed."""
    await desk.sign_in()
    body = {"current": desk.password, "new": "Gai-guo-2026-mima"}
    assert (await desk.post("/api/console/password", body)).status == 204
    desk.password = body["new"]
    return desk


async def test_the_console_asks_for_password_and_code_and_keeps_the_cookie_from_scripts(desk: Desk) -> None:
    answer = await desk.sign_in()
    assert answer.content["must_change_password"] is True
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    assert (await desk.get(SESSION)).content["login"] == desk.login


async def test_until_the_first_password_is_changed_an_account_may_do_nothing_else(desk: Desk) -> None:
    await desk.sign_in()
    assert (await desk.get("/api/console/accounts")).code == "role_missing"
    weak = {"current": desk.password, "new": "short"}
    assert (await desk.post("/api/console/password", weak)).code == "weak_password"
    await ready(desk)
    assert (await desk.get("/api/console/accounts")).status == 200


@pytest.mark.parametrize("wrong", [{"password": "Not-the-password-1"}, {"code": "000000"}, {"login": "nobody"}])
async def test_whatever_is_wrong_the_refusal_is_the_same(desk: Desk, wrong: dict[str, str]) -> None:
    answer = await desk.sign_in(**wrong)
    assert (answer.status, answer.code) == (401, "sign_in_failed")


async def test_a_one_time_code_is_good_once(desk: Desk, clock_moves: Moves) -> None:
    used = desk.code()
    assert (await desk.sign_in(code=used)).status == 200
    assert (await desk.sign_in(code=used)).code == "sign_in_failed"
    clock_moves(seconds=31)
    assert (await desk.sign_in()).status == 200


@pytest.mark.parametrize("known", [True, False])
async def test_failures_lock_a_login_out_for_growing_times_whether_it_exists_or_not(
    desk: Desk, clock_moves: Moves, known: bool
) -> None:
    wrong = {"password": "Not-the-password-1"} if known else {"login": f"nobody-{uuid4().hex}"}
    for _ in range(5):
        assert (await desk.sign_in(**wrong)).code == "sign_in_failed"
    locked = await desk.sign_in(**wrong)
    assert (locked.status, locked.code) == (429, "locked_out")
    first = int(locked.headers["retry-after"])
    clock_moves(seconds=first + 1)
    assert (await desk.sign_in(**wrong)).code == "sign_in_failed"
    assert int((await desk.sign_in(**wrong)).headers["retry-after"]) > first


async def test_a_locked_login_refuses_the_right_password_too_and_opens_again(desk: Desk, clock_moves: Moves) -> None:
    for _ in range(5):
        await desk.sign_in(password="Not-the-password-1")
    locked = await desk.sign_in()
    assert locked.code == "locked_out"
    clock_moves(seconds=int(locked.headers["retry-after"]) + 1)
    assert (await desk.sign_in()).status == 200


async def test_a_write_without_the_sessions_csrf_token_changes_nothing(desk: Desk) -> None:
    await ready(desk)
    for token in ("", "0" * 64):
        answer = await desk.post("/api/console/sign-out", headers={"X-CSRF-Token": token})
        assert (answer.status, answer.code) == (403, "csrf_token_wrong")
    assert (await desk.get(SESSION)).status == 200
    assert (await desk.post("/api/console/sign-out")).status == 204
    assert (await desk.get(SESSION)).code == "session_ended"


async def test_a_session_ends_when_idle_and_after_half_a_day(desk: Desk, clock_moves: Moves) -> None:
    await desk.sign_in()
    for _ in range(29):
        clock_moves(minutes=25)
        await desk.get(SESSION)
    assert (await desk.get(SESSION)).code == "session_ended"
    await desk.sign_in()
    clock_moves(minutes=31)
    assert (await desk.get(SESSION)).code == "session_ended"


async def test_a_changed_password_ends_the_other_browsers(desk: Desk, clock_moves: Moves) -> None:
    await desk.sign_in()
    other = dict(desk.headers)
    clock_moves(seconds=31)
    await ready(desk)
    assert (await desk.get(SESSION)).status == 200
    assert (await desk.get(SESSION, headers=other)).code == "session_ended"


async def test_an_account_is_made_closed_and_seen_only_within_its_zone(
    desk: Desk, zone: Zone, bureau: Unit, settings: Settings
) -> None:
    await ready(desk)
    chen = await person(zone, bureau, "陈立", Role.OVERSIGHT)
    body = {"person_id": str(chen.id), "login": f"chenli-{uuid4().hex[:8]}"}
    made = await desk.post("/api/console/accounts", body)
    assert made.status == 201 and made.content["totp_uri"].startswith("otpauth://totp/")
    assert (await desk.post("/api/console/accounts", body)).code == "login_taken"
    account, path = made.content["account"], f"/api/console/accounts/{made.content['account']['id']}/active"
    assert (await desk.call("PUT", path, json={"active": False})).code == "if_match_missing"
    stale = await desk.call("PUT", path, json={"active": False}, headers={"If-Match": '"9"'})
    assert (stale.status, stale.code) == (412, "version_passed")
    closed = await desk.call("PUT", path, json={"active": False}, headers={"If-Match": f'"{account["version"]}"'})
    assert closed.content["active"] is False


async def test_another_zones_account_does_not_exist(desk: Desk, settings: Settings) -> None:
    await ready(desk)
    elsewhere = await organization.create_zone(code=f"gxq-{uuid4().hex[:8]}", name="高新区")
    unit = await Unit.create(
        zone_id=elsewhere.id, code="dgw", name="党工委", kind=UnitKind.WORK_COMMITTEE, path="/dgw/"
    )
    stranger = await person(elsewhere, unit, "赵敏", Role.CADRE)
    signer = Signer(settings.signing_key.get_secret_value())
    theirs = await accounts.create_account(
        stranger.id, f"zhaomin-{uuid4().hex[:8]}", by=Scope.system(elsewhere.id), signer=signer
    )
    reset = await desk.post(f"/api/console/accounts/{theirs.account.id}/credentials")
    assert (reset.status, reset.code) == (404, "not_found")
    made = await desk.post("/api/console/accounts", {"person_id": str(stranger.id), "login": "zhaomin2"})
    assert (made.status, made.code) == (404, "not_found")
    listed = await desk.get("/api/console/accounts")
    assert str(theirs.account.id) not in listed.text


async def test_nobody_gets_an_account_with_two_of_the_separated_roles(desk: Desk, zone: Zone, bureau: Unit) -> None:
    await ready(desk)
    both = await person(zone, bureau, "周全", Role.ADMIN, Role.AUDITOR)
    answer = await desk.post("/api/console/accounts", {"person_id": str(both.id), "login": f"z-{uuid4().hex[:8]}"})
    assert (answer.status, answer.code) == (409, "roles_not_separated")


async def test_a_service_token_is_shown_once_and_ends_when_revoked(desk: Desk) -> None:
    await ready(desk)
    body = {"name": "国资监管平台", "feeds": ["monitors.feed"], "days": 30}
    made = await desk.post("/api/console/service-tokens", body)
    secret, token = made.content["secret"], made.content["token"]
    assert (await accounts.service_of(secret)).feeds == {Feed.MONITORS}
    assert secret not in (await desk.get("/api/console/service-tokens")).text
    await desk.post(f"/api/console/service-tokens/{token['id']}/revoke")
    with pytest.raises(Exception, match="service_token_invalid"):
        await accounts.service_of(secret)


async def test_a_service_token_ends_by_itself(zone: Zone, clock_moves: Moves) -> None:
    keeper = Scope(zone.id, "account:x", grants=(Grant(Role.SECURITY_ADMIN, "/"),))
    _, secret = await accounts.create_service_token("税务", {Feed.MONITORS}, 2, by=keeper)
    assert (await accounts.service_of(secret)).scope.zone_id == zone.id
    clock.move(timedelta(days=2))
    with pytest.raises(Exception, match="service_token_invalid"):
        await accounts.service_of(secret)


async def test_the_wire_never_shows_a_password_hash_or_secret(desk: Desk) -> None:
    await ready(desk)
    shown = json.dumps((await desk.get("/api/console/accounts")).content)
    assert "password_hash" not in shown and "totp" not in shown and "argon2" not in shown
