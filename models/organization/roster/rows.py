"""The roster's rows, checked: pure, without a database. What is good is ready to be copied."""

import re
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from models.base.ids import new_id
from models.base.scope import SEPARATED, Role
from models.base.spreadsheets import Faults, RowCells, Sheet, read_sheets
from models.organization.roster import words
from models.organization.tables import PostRank, UnitKind

PHONE = re.compile(r"1[3-9]\d{9}")
WECOM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
LONGEST_PATH = 400


@dataclass(slots=True)
class UnitRow:
    """A unit as written; `path` is known once the whole tree is."""

    cells: RowCells
    code: str
    name: str
    kind: UnitKind
    parent: str
    path: str = ""


@dataclass
class Roster:
    """Good rows as tuples in the order of the staging tables' columns, each with a fresh id; and what is wrong."""

    faults: Faults = field(default_factory=Faults)
    unit_codes: set[str] = field(default_factory=set)
    staff_nos: dict[str, str] = field(default_factory=dict)
    good_people: set[str] = field(default_factory=set)
    units: list[tuple[UUID, str, str, str, str, str]] = field(default_factory=list)
    people: list[tuple[UUID, str, str, str, str | None]] = field(default_factory=list)
    posts: dict[tuple[str, str, PostRank], UUID] = field(default_factory=dict)
    appointments: list[tuple[UUID, str, UUID, date, date | None, bool]] = field(default_factory=list)
    roles: list[tuple[UUID, str, str, str]] = field(default_factory=list)


def read_roster(data: bytes) -> Roster:
    """Read and check the workbook; takes seconds of CPU. Raises Invalid, TooLarge for the file as a whole."""
    roster = Roster()
    sheets = read_sheets(data, *words.FORMS, faults=roster.faults)
    _read_units(sheets["单位"], roster)
    _read_people(sheets["人员"], roster)
    _read_appointments(sheets["任职"], roster)
    _read_roles(sheets["角色"], roster)
    return roster


def _read_units(sheet: Sheet, roster: Roster) -> None:
    units: dict[str, UnitRow] = {}
    parents: list[tuple[RowCells, str]] = []
    for row in sheet:
        code, kind = row.code("单位编码"), row.choice("单位类型", words.KINDS, code="unknown_unit_type")
        name, parent = row.text("单位名称", longest=64), row.written("上级单位编码")
        roster.unit_codes.add(row.written("单位编码"))
        parents.append((row, parent))
        if code in units:
            row.fault("单位编码", "duplicate_unit", f"单位编码 {code} 前面已经出现过。")
        elif code and kind and name:
            units[code] = UnitRow(row, code, name, kind, parent)
    _check_parents(parents, roster)
    for unit in units.values():
        _find_path(unit, units)
    if not roster.faults:
        ordered = sorted(units.values(), key=lambda unit: unit.path)
        roster.units = [(new_id(), unit.code, unit.name, unit.kind, unit.parent, unit.path) for unit in ordered]


def _check_parents(parents: list[tuple[RowCells, str]], roster: Roster) -> None:
    roots = 0
    for row, parent in parents:
        if parent:
            if parent not in roster.unit_codes:
                row.fault("上级单位编码", "unknown_parent", f"“单位”表中没有编码为 {parent[:32]} 的单位。")
            continue
        roots += 1
        if roots > 1:
            row.fault("上级单位编码", "several_roots", "只能有一个单位（开发区本身）不填上级单位编码。")
    if not roots:
        roster.faults.add("no_root", "“单位”表中应有一个单位（开发区本身）不填上级单位编码。", sheet="单位")


def _find_path(unit: UnitRow, units: dict[str, UnitRow]) -> None:
    """The codes from the root down. A faulty unit above ends the climb: it is told of at its own row."""
    climbed, above = [unit.code], units.get(unit.parent)
    while above is not None and above.code not in climbed:
        climbed.append(above.code)
        above = units.get(above.parent)
    unit.path = f"/{'/'.join(reversed(climbed))}/"
    if above is not None:
        if above is unit:  # told at the units of the circle, not at those below it
            unit.cells.fault("上级单位编码", "unit_cycle", "上级单位绕了一圈又回到本单位。")
    elif len(unit.path) > LONGEST_PATH:
        unit.cells.fault("上级单位编码", "too_deep", "单位层级太多。")


def _read_people(sheet: Sheet, roster: Roster) -> None:
    phones: set[str] = set()
    userids: set[str] = set()
    for row in sheet:
        staff_no, name, phone = row.code("人员编号"), row.text("姓名", longest=32), _phone(row)
        written, wecom = row.written("人员编号"), _wecom(row, userids)
        repeated = written in roster.staff_nos
        roster.staff_nos.setdefault(written, written)
        if repeated and staff_no:
            row.fault("人员编号", "duplicate_person", f"人员编号 {staff_no} 前面已经出现过。")
        elif phone in phones:
            row.fault("手机号", "duplicate_phone", "这个手机号前面已经出现过。")
        elif staff_no and name and phone and not row.bad:
            roster.people.append((new_id(), written, name, phone, wecom))
            roster.good_people.add(written)
        if phone:
            phones.add(phone)


def _phone(row: RowCells) -> str | None:
    phone = row.text("手机号", longest=40)
    if phone and not PHONE.fullmatch(phone):
        row.fault("手机号", "bad_phone", "“手机号”应为 11 位大陆手机号。")
        return None
    return phone


def _wecom(row: RowCells, userids: set[str]) -> str | None:
    """WeCom does not tell capitals from small letters."""
    userid = row.written("企业微信账号")
    if not userid:
        return None
    if not WECOM.fullmatch(userid):
        detail = "“企业微信账号”只能用字母、数字和 _ - @ .，以字母或数字开头，最多 64 个。"
        row.fault("企业微信账号", "bad_wecom", detail)
    elif userid.lower() in userids:
        row.fault("企业微信账号", "duplicate_wecom", "这个企业微信账号前面已经出现过。")
    userids.add(userid.lower())
    return userid


def _read_appointments(sheet: Sheet, roster: Roster) -> None:
    seen: set[tuple[str, str, str, date]] = set()
    for row in sheet:
        staff_no, unit = _known_person(row, roster), _known_unit(row, roster)
        title, rank = row.text("职务", longest=64), row.choice("类别", words.RANKS, code="unknown_post_kind")
        from_on, until_on, acting = row.day("任职起始"), row.day("任职截止", required=False), row.flag("代理")
        if not (staff_no and unit and title and rank and from_on):
            continue
        if until_on and until_on < from_on:
            row.fault("任职截止", "bad_period", "“任职截止”早于“任职起始”。")
        if (staff_no, unit, title, from_on) in seen:
            row.fault("人员编号", "duplicate_appointment", "同一人在同一单位的同一职务、同一起始日前面已经出现过。")
        seen.add((staff_no, unit, title, from_on))
        if not row.bad and staff_no in roster.good_people:
            post = roster.posts.setdefault((unit, title, rank), new_id())
            roster.appointments.append((new_id(), staff_no, post, from_on, until_on, bool(acting)))


def _known_person(row: RowCells, roster: Roster) -> str | None:
    written = row.written("人员编号")
    known = roster.staff_nos.get(written) if written else row.text("人员编号", longest=32)
    if written and known is None:
        row.fault("人员编号", "unknown_person", f"“人员”表中没有编号为 {written[:32]} 的人员。")
    return known


def _known_unit(row: RowCells, roster: Roster) -> str | None:
    written = row.written("单位编码")
    if written and written not in roster.unit_codes:
        row.fault("单位编码", "unknown_unit", f"“单位”表中没有编码为 {written[:32]} 的单位。")
        return None
    return written or row.text("单位编码", longest=32)


def _read_roles(sheet: Sheet, roster: Roster) -> None:
    seen: set[tuple[str, Role, str]] = set()
    separated: dict[str, Role] = {}
    for row in sheet:
        staff_no, unit = _known_person(row, roster), _known_unit(row, roster)
        role = row.choice("角色", words.ROLE_WORDS, code="unknown_role")
        if not (staff_no and unit and role):
            continue
        if (staff_no, role, unit) in seen:
            row.fault("人员编号", "duplicate_role", "同一人在同一单位的同一角色前面已经出现过。")
        elif role in SEPARATED and separated.setdefault(staff_no, role) != role:
            row.fault("角色", "conflicting_roles", "管理员、安全管理员、审计员三者不能由同一人兼任。")
        elif staff_no in roster.good_people:
            roster.roles.append((new_id(), staff_no, role, unit))
        seen.add((staff_no, role, unit))
