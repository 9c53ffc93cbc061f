"""The sample zone: made again byte for byte, whole, and believable enough to run every journey on."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from difflib import SequenceMatcher
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat
from python_calamine import CalamineWorkbook

from deploy.sample.__main__ import write_sample

SAMPLE = Path(__file__).parents[2] / "deploy" / "sample"
Record = dict[str, object]


def cells(name: str) -> dict[str, list[list[object]]]:
    book = CalamineWorkbook.from_path(SAMPLE / name)
    return {sheet: book.get_sheet_by_name(sheet).to_python() for sheet in book.sheet_names}


def records(name: str, sheet: str) -> list[Record]:
    header, *rows = cells(name)[sheet]
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def column(rows: list[Record], name: str) -> list[object]:
    return [row[name] for row in rows]


def files_in(folder: Path) -> dict[str, bytes]:
    paths = [*folder.glob("*.xlsx"), *folder.glob("photos/*"), *folder.glob("documents/*")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def members(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@pytest.fixture(scope="module")
def units() -> dict[object, Record]:
    return {row["单位编码"]: row for row in records("roster.xlsx", "单位")}


@pytest.fixture(scope="module")
def held() -> list[Record]:
    """Appointments that are open."""
    return [row for row in records("roster.xlsx", "任职") if not row["任职截止"]]


@pytest.fixture(scope="module")
def items() -> list[Record]:
    return records("items.xlsx", "事项")


def test_writing_the_sample_twice_gives_the_same_bytes(fresh: Path, tmp_path: Path) -> None:
    write_sample(tmp_path)
    assert files_in(fresh) == files_in(tmp_path)
    assert len(files_in(fresh)) == 3 + 8 + 2


def test_no_archive_member_remembers_when_it_was_written(fresh: Path) -> None:
    for path in [*fresh.glob("*.xlsx"), *fresh.glob("documents/*.docx")]:
        with ZipFile(path) as package:
            assert {entry.date_time[0] for entry in package.infolist()} == {1980}


def test_the_committed_files_are_what_the_script_writes(fresh: Path) -> None:
    # Members, not archives: another Python may bring another zlib and pack the same bytes differently.
    assert files_in(SAMPLE).keys() == files_in(fresh).keys()
    for path in [*fresh.glob("*.xlsx"), *fresh.glob("documents/*.docx")]:
        assert members(path) == members(SAMPLE / path.relative_to(fresh))
    assert (fresh / "documents/statement.pdf").read_bytes() == (SAMPLE / "documents/statement.pdf").read_bytes()


def test_the_committed_photos_look_like_what_the_script_draws(fresh: Path) -> None:
    # Another libjpeg may round differently; a pixel may differ by a shade, never the picture.
    for path in fresh.glob("photos/*.jpg"):
        with Image.open(path) as drawn, Image.open(SAMPLE / path.relative_to(fresh)) as kept:
            assert max(ImageStat.Stat(ImageChops.difference(drawn, kept)).mean) < 2
            assert drawn.getexif() == kept.getexif()


def test_the_roster_has_about_sixty_units_on_four_levels(units: dict[object, Record]) -> None:
    def level(code: object) -> int:
        parent = units[code]["上级单位编码"]
        return 1 + level(parent) if parent else 1

    assert Counter(map(level, units)) == {1: 1, 2: 24, 3: 33, 4: 5}
    kinds = Counter(column(list(units.values()), "单位类型"))
    assert [kinds.pop(kind) for kind in ("部门", "街道", "村(社区)", "国企")] == [21, 5, 20, 13]
    assert kinds == {"党工委/管委会": 1, "纪检监察工委": 1, "集团": 1, "集团纪委": 1}


def test_four_hundred_people_have_distinct_numbers_and_telephones_that_no_operator_serves() -> None:
    people = records("roster.xlsx", "人员")
    assert len(people) == len(set(column(people, "人员编号"))) == len(set(column(people, "手机号"))) == 400
    assert all(re.fullmatch(r"1540000\d{4}", str(phone)) for phone in column(people, "手机号"))
    assert len(set(column(people, "姓名"))) == 399, "one pair of namesakes"


def test_every_reference_in_the_roster_stands(units: dict[object, Record]) -> None:
    people = set(column(records("roster.xlsx", "人员"), "人员编号"))
    for sheet in ("任职", "角色"):
        rows = records("roster.xlsx", sheet)
        assert set(column(rows, "人员编号")) == people
        assert set(column(rows, "单位编码")) <= units.keys()


def test_appointments_include_vacancies_acting_posts_and_ended_ones(held: list[Record]) -> None:
    everything = records("roster.xlsx", "任职")
    led = {row["单位编码"] for row in held if row["类别"] == "主要负责人"}
    acting = [row for row in held if row["代理"] == "是"]
    ended = [row for row in everything if row["任职截止"]]
    assert len(column(records("roster.xlsx", "单位"), "单位编码")) - len(led) == 3
    assert len(acting) == 3
    assert len(ended) == 14
    assert all(row["任职起始"] < row["任职截止"] for row in ended)  # type: ignore[operator]
    assert {row["人员编号"] for row in held} == {row["人员编号"] for row in everything}


def test_roles_are_held_by_as_many_people_as_the_zone_needs() -> None:
    counts = Counter(column(records("roster.xlsx", "角色"), "角色"))
    assert counts.pop("单位负责人") > 150
    assert counts == {"干部": 400, "检查人员": 20, "监督人员": 8, "管理员": 2, "安全管理员": 1, "审计员": 1}


def test_nobody_holds_two_of_the_roles_kept_apart() -> None:
    apart = [row for row in records("roster.xlsx", "角色") if row["角色"] in {"管理员", "安全管理员", "审计员"}]
    assert len(apart) == len({row["人员编号"] for row in apart})


def test_oversight_is_the_discipline_office_and_reaches_the_whole_zone(held: list[Record]) -> None:
    office = {row["人员编号"] for row in held if row["单位编码"] == "LC01"}
    oversight = [row for row in records("roster.xlsx", "角色") if row["角色"] == "监督人员"]
    assert {row["人员编号"] for row in oversight} <= office
    assert {row["单位编码"] for row in oversight} == {"LC"}


def test_the_bad_roster_differs_in_exactly_five_rows() -> None:
    good, bad = cells("roster.xlsx"), cells("roster_bad.xlsx")
    changed = [
        (sheet, place + 1)
        for sheet, rows in bad.items()
        for place, row in enumerate(rows)
        if place >= len(good[sheet]) or row != good[sheet][place]
    ]
    assert good.keys() == bad.keys()
    assert sum(map(len, bad.values())) == sum(map(len, good.values())) + 1
    assert changed == [("人员", 58), ("人员", 402), ("任职", 204), ("任职", 402), ("角色", 573)]


def test_each_bad_row_is_bad_for_the_reason_promised(units: dict[object, Record]) -> None:
    bad = cells("roster_bad.xlsx")
    numbers = [row[0] for row in bad["人员"][1:]]
    posts, roles = bad["任职"], bad["角色"]
    known_roles = set(column(records("roster.xlsx", "角色"), "角色"))
    assert [row[2] for row in bad["人员"][1:] if not re.fullmatch(r"1[3-9]\d{9}", str(row[2]))] == [bad["人员"][57][2]]
    assert len({row[2] for row in bad["人员"][1:]}) == 401, "the repeated number brings a telephone of its own"
    assert [number for number, count in Counter(numbers).items() if count > 1] == [bad["人员"][401][0]]
    assert [row for row in posts[1:] if row[1] not in units] == [posts[203]]
    assert [row for row in posts[1:] if row[5] and row[5] < row[4]] == [posts[401]]  # type: ignore[operator]
    assert [row for row in roles[1:] if row[1] not in known_roles] == [roles[572]]


def test_three_hundred_items_spread_over_three_lists(items: list[Record]) -> None:
    assert Counter(column(items, "清单")) == {"任务": 140, "责任": 70, "问题": 90}
    assert Counter(column(items, "立行立改"))["是"] == 21
    assert Counter(column(items, "紧急"))["是"] == 15
    assert set(column(items, "密级")) == {"公开", "内部"}
    assert len(set(column(items, "标题"))) == 300


def test_every_owner_holds_an_open_post_in_the_unit_named(items: list[Record], held: list[Record]) -> None:
    posts = {(row["人员编号"], row["单位编码"]) for row in held}
    assert {(row["责任人编号"], row["责任单位编码"]) for row in items} <= posts


def test_every_owner_has_another_person_above_to_review(
    items: list[Record], held: list[Record], units: dict[object, Record]
) -> None:
    leaders: dict[object, set[object]] = {}
    for row in held:
        if row["类别"] != "成员":
            leaders.setdefault(row["单位编码"], set()).add(row["人员编号"])
    for item in items:
        unit = item["责任单位编码"]
        above = leaders.get(unit, set()) | leaders.get(units[unit]["上级单位编码"], set())
        assert above - {item["责任人编号"]}


def test_most_items_rest_with_members_and_deputies_of_every_level(items: list[Record], held: list[Record]) -> None:
    kind = {(row["人员编号"], row["单位编码"]): row["类别"] for row in held if not row["代理"]}
    owners = Counter(kind[row["责任人编号"], row["责任单位编码"]] for row in items)
    assert owners["成员"] > owners["分管负责人"] > owners["主要负责人"] > 0
    assert {len(str(code)) for code in column(items, "责任单位编码")} == {2, 4, 6, 8}
    assert max(Counter(column(items, "责任人编号")).values()) <= 4


def test_deadlines_are_working_days_of_the_winter_or_counts_of_them(items: list[Record]) -> None:
    due = column(items, "期限")
    dates = [day for day in due if isinstance(day, date)]
    assert date(2026, 11, 25) <= min(dates) <= max(dates) <= date(2027, 1, 29)
    assert all(day.weekday() < 5 for day in dates)
    counted = [str(day) for day in due if not isinstance(day, date)]
    assert len(counted) > 15
    assert all(re.fullmatch(r"\d+个工作日", text) for text in counted)


def test_two_pairs_of_one_owner_resemble_each_other_and_no_others_do(items: list[Record]) -> None:
    by_owner: dict[object, list[str]] = {}
    for row in items:
        by_owner.setdefault((row["责任人编号"], row["清单"]), []).append(str(row["标题"]))
    alike = [
        (one, other)
        for titles in by_owner.values()
        for place, one in enumerate(titles)
        for other in titles[place + 1 :]
        if SequenceMatcher(None, one, other).ratio() > 0.7
    ]
    assert len(alike) == 2


def test_no_slot_or_choice_is_left_unfilled(items: list[Record]) -> None:
    assert not [row for row in items if re.search(r"[{}\[\]/]", f"{row['标题']}{row['要求']}{row['依据']}")]


def test_policies_are_three_and_every_code_an_item_names_is_among_them(items: list[Record]) -> None:
    steps = records("items.xlsx", "策略")
    codes = set(column(steps, "策略编码"))
    named = {code for row in items if row["策略编码"] for code in str(row["策略编码"]).split("、")}
    assert named == codes == {"CL-QS", "CL-LQ", "CL-YQ"}
    for code in codes:
        numbers = [row["步骤"] for row in steps if row["策略编码"] == code]
        assert numbers == list(range(1, len(numbers) + 1))


def test_photos_are_small_jpegs_some_turned_and_some_placed() -> None:
    turned, placed = 0, 0
    for path in (SAMPLE / "photos").glob("*.jpg"):
        assert path.stat().st_size <= 60_000
        with Image.open(path) as photo:
            assert photo.format == "JPEG"
            assert ImageOps.exif_transpose(photo).size == (640, 480)
            turned += photo.getexif().get(0x0112, 1) != 1
            placed += bool(photo.getexif().get_ifd(0x8825))
    assert (turned, placed) == (4, 4)
