"""The people of the sample zone: invented names, unassigned numbers, appointments past and present, roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from deploy.sample.zone import DISCIPLINE, ROOT, Unit

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓"
    "许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊"
    "金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
FIRST = "建国志明永文晓春海宏佳思雨若子梦雅静秀月新长振启承德学正立光瑞庆仲书锦云素玉凤桂惠丽亚少世兆绍景"
SECOND = "平军华强林峰涛杰波伟宁辉亮斌飞勇洁琴芳娟敏霞燕萍莉玲婷颖雯琳彤岚川松柏溪恒安康远达成俊豪凯旭阳晨"

# Nobody is served by 154: a number here can be recognised as invented, and never rings.
PHONE_PREFIX = "1540000"

# Vacant leading posts filled for the time being: vacant unit → (unit, index of the deputy) who acts.
ACTING = {"LC14": ("LC14", 0), "LC0701": ("LC07", 1), "LC2503": ("LC25", 2)}

# Who else than the discipline office inspects: unit → (post kind, how many).
INSPECTORS = {
    **dict.fromkeys(("LC21", "LC22", "LC23", "LC24", "LC25"), ("分管负责人", 1)),
    "LC15": ("成员", 3),
    "LC03": ("成员", 2),
    "LC06": ("成员", 1),
    "LC09": ("成员", 1),
}
OVERSIGHT_MEMBERS = 5
# 等保三级: three duties, three sets of people. Role → (unit, indices of its members).
CONSOLE = {"管理员": ("LC02", (3, 4)), "安全管理员": ("LC17", (2,)), "审计员": ("LC15", (4,))}
MOVED = 14
MOVE_WITHIN = ("部门", "街道", "村(社区)", "国企")


@dataclass(frozen=True)
class Person:
    number: str
    name: str
    phone: str


@dataclass(frozen=True)
class Appointment:
    """A post held from `since` to `until`, both days included; `until` is None while it is open."""

    person: str
    unit: str
    title: str
    kind: str
    since: date
    until: date | None = None
    acting: bool = False


@dataclass(frozen=True)
class Role:
    person: str
    name: str
    unit: str


@dataclass
class Roster:
    """The zone's people as the roster workbook tells them."""

    units: dict[str, Unit]
    people: list[Person] = field(default_factory=list)
    appointments: list[Appointment] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)

    def holders(self, unit: str, kind: str) -> list[str]:
        """Numbers of those who hold a post of this kind in the unit in their own right, in roster order."""
        return [
            post.person
            for post in self.appointments
            if post.unit == unit and post.kind == kind and not post.until and not post.acting
        ]


def draw_roster(units: dict[str, Unit]) -> Roster:
    """The whole roster, the same on every run."""
    rng = Random("people")
    roster = Roster(units)
    phones = iter(rng.sample(range(10_000), 1_000))
    names = draw_names(rng)
    for unit in units.values():
        for kind, title in _posts(unit):
            number = f"G{len(roster.people) + 1:04d}"
            roster.people.append(Person(number, next(names), f"{PHONE_PREFIX}{next(phones):04d}"))
            since = date(2019, 1, 1) + timedelta(days=rng.randrange(2_800))
            roster.appointments.append(Appointment(number, unit.code, title, kind, since))
    roster.appointments += [*_past_posts(roster, rng), *_acting_posts(roster)]
    roster.roles += _roles(roster)
    return roster


def draw_names(rng: Random) -> Iterator[str]:
    """Names without end, none twice except one, since real rosters have namesakes."""
    seen: list[str] = []
    while True:
        given = rng.choice(FIRST) + rng.choice(SECOND) if rng.random() < 0.9 else rng.choice(SECOND)
        name = rng.choice(SURNAMES) + given
        if len(seen) == 79:
            name = seen[40]
        elif name in seen:
            continue
        seen.append(name)
        yield name


def _posts(unit: Unit) -> Iterator[tuple[str, str]]:
    for kind, count in unit.staff.items():
        titles = unit.titles[kind]
        yield from ((kind, titles[place % len(titles)]) for place in range(count))


def _past_posts(roster: Roster, rng: Random) -> Iterator[Appointment]:
    """What some people held before, in another unit of the same type, until the day before they moved."""
    units = roster.units
    movable = [
        post
        for post in roster.appointments
        if post.kind != "主要负责人" and post.since.year >= 2022 and units[post.unit].type in MOVE_WITHIN
    ]
    for post in rng.sample(movable, MOVED):
        here = units[post.unit]
        before = rng.choice([unit for unit in units.values() if unit.type == here.type and unit != here])
        title = rng.choice(before.titles[post.kind])
        since = post.since - timedelta(days=rng.randrange(500, 1_500))
        yield Appointment(post.person, before.code, title, post.kind, since, post.since - timedelta(days=1))


def _acting_posts(roster: Roster) -> Iterator[Appointment]:
    for vacant, (home, place) in ACTING.items():
        deputy = roster.holders(home, "分管负责人")[place]
        title = roster.units[vacant].titles["主要负责人"][0]
        yield Appointment(deputy, vacant, title, "主要负责人", date(2026, 9, 1), acting=True)


def _roles(roster: Roster) -> Iterator[Role]:
    posts = [post for post in roster.appointments if not post.until]
    yield from (Role(post.person, "干部", post.unit) for post in posts if not post.acting)
    yield from dict.fromkeys(Role(post.person, "单位负责人", post.unit) for post in posts if post.kind != "成员")
    yield from _discipline_roles(roster)
    for unit, (kind, count) in INSPECTORS.items():
        yield from (Role(person, "检查人员", ROOT) for person in roster.holders(unit, kind)[:count])
    for role, (unit, places) in CONSOLE.items():
        yield from (Role(roster.holders(unit, "成员")[place], role, ROOT) for place in places)


def _discipline_roles(roster: Roster) -> Iterator[Role]:
    members = roster.holders(DISCIPLINE, "成员")
    leaders = roster.holders(DISCIPLINE, "主要负责人") + roster.holders(DISCIPLINE, "分管负责人")
    yield from (Role(person, "监督人员", ROOT) for person in leaders + members[:OVERSIGHT_MEMBERS])
    commission = [post.person for post in roster.appointments if post.unit == "LC3001" and not post.until]
    yield from (Role(person, "检查人员", ROOT) for person in members[OVERSIGHT_MEMBERS:] + commission)
