"""One schedule's zone: people with phones, what is owed to them, and what is seen of it."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import aiohttp
from tortoise.transactions import in_transaction

from miniprogram_mock.phones import Phone
from models import deliveries, organization, reminders
from models.base import clock, database
from models.base.calendar import calendar_of
from models.base.ids import new_id
from models.base.scope import Scope
from models.escalations import Timer
from models.ledger import Item
from models.organization import Zone
from models.reminders import ReminderKind
from tests.faults.arena import PATIENCE_SECONDS, WORKERS, Arena, until
from tests.office import PARTS as POSTS
from tests.office import Office

TODO = "ZL_TODO"
SUBSCRIBE, TEMPLATE = "/cgi-bin/message/subscribe/send", "/cgi-bin/message/template/send"
SENDS = "/cgi-bin/message/*/send"
POPUP = "push:subscribe_msg_popup_event"
PARTS = ("owner", "colleague", "leader", "upper", "overseer", "inspector", "stranger")
REMINDED = (ReminderKind.ALERT_TO_CHECK, ReminderKind.VISIT_ASSIGNED, ReminderKind.REVIEW_WAITING)
GATHERED = deliveries.GATHER.total_seconds() + 1
LEASE_LAPSED = 31.0


@dataclass(frozen=True)
class Owed:
    """What the schedule caused: this person has to be reminded of this thing."""

    person_id: UUID
    kind: ReminderKind
    subject_id: UUID


@dataclass
class Stage:
    """The zone; `after` is the platform's last message before it, `chance` decides all that is random."""

    arena: Arena
    chance: Random
    zone: Zone
    office: Office
    phones: dict[str, Phone]
    after: int
    owed: list[Owed] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What a fault itself found wrong, beside the checks that follow each."""
    known_consents: bool = True
    """False once events were forged, lost or late: our ledger may then differ from the platform's."""
    worn: bool = False
    """The workers remember something that would spoil the next schedule."""

    @property
    def day(self) -> date:
        """Today in Shanghai."""
        return clock.today()

    def person(self, part: str) -> UUID:
        """The id of who has this part."""
        found: UUID = self.office.people[part].id
        return found

    @property
    def system(self) -> Scope:
        """The product itself."""
        return Scope.system(self.zone.id)

    # People.

    async def bind(self, part: str) -> None:
        """Bind a phone that the platform knows to its person."""
        phone, person = self.phones[part], self.person(part)
        known = await self.arena.platform.ask("GET", f"/_phone/{phone.openid}")
        by = Scope(self.zone.id, f"person:{person}", person_id=person)
        await organization.bind(self.zone.id, person, phone.openid, by=by, unionid=known["unionid"])

    async def stock(self, ways: dict[str, tuple[int, bool]]) -> None:
        """Give these people at least so many consents, on the platform and with us, and let them follow or not."""
        await self.arena.fault(POPUP, "lose")
        await self.arena.fault("push:*subscribe", "lose")
        for part, (consents, follows) in ways.items():
            await self._consent(self.phones[part].openid, consents)
            await self._follow(part, follows)

        async def over() -> bool:
            return not (await self.arena.control("GET", "stats"))["pushes"]["pending"]

        await until("the platform's events are over", over)
        await self.arena.heal()

    async def stock_all(self) -> None:
        """Everybody has some way or none; the owner can be reached by subscribe, the colleague by template message.

        Workers know no token: the platform would have forgotten it, as the clock has moved, and refuse the first call.
        """
        async with self.arena.redis() as redis:
            await redis.flushall()
        ways = {part: (self.chance.randint(0, 2), self.chance.random() < 0.5) for part in PARTS}
        await self.stock(ways | {"owner": (2, ways["owner"][1]), "colleague": (0, True)})

    async def _consent(self, openid: str, wanted: int) -> None:
        for _ in range(wanted - await self.consents(openid)):
            await self.arena.platform.ask("POST", f"/_phone/{openid}/subscribe", json={"template_ids": [TODO]})
            await deliveries.credit(self.zone.id, openid, TODO)

    async def consents(self, openid: str) -> int:
        """How many messages the phone takes, by our ledger."""
        rows = await database.fetch(
            "select remaining from consent where zone_id = $1 and openid = $2", self.zone.id, openid
        )
        return int(rows[0]["remaining"]) if rows else 0

    async def _follow(self, part: str, follows: bool) -> None:
        phone = self.phones[part]
        await self.arena.platform.ask("POST", f"/_phone/{phone.openid}/{'follow' if follows else 'unfollow'}", json={})
        if follows:
            binding = await organization.binding_of(self.zone.id, self.person(part))
            await deliveries.follow(self.zone.id, phone.service_openid, str(binding and binding.unionid))
        else:
            await deliveries.unfollow(phone.service_openid)

    # Obligations.

    async def issue(self, part: str = "owner", **facts: Any) -> Item:
        """An item for somebody, to be received."""
        unit = self.office.units[POSTS[part][0]]
        item = await self.office.issued(owner_id=self.person(part), unit_id=unit.id, **facts)
        self.owed.append(Owed(self.person(part), ReminderKind.TO_RECEIVE, item.id))
        return item

    async def remind(self, part: str, **facts: Any) -> UUID:
        """A reminder of something else than an item."""
        subject, kind = new_id(), self.chance.choice(REMINDED)
        async with in_transaction():
            reminder = await reminders.remind(
                self.zone.id,
                self.person(part),
                kind,
                ("visit", subject),
                "有一项待办",
                key=f"faults:{subject}",
                **facts,
            )
        assert reminder is not None
        self.owed.append(Owed(self.person(part), kind, subject))
        return reminder

    async def owe_some(self, *parts: str) -> None:
        """A few obligations at random, to these people and some others, due when they have been gathered."""
        others = self.chance.sample(PARTS, self.chance.randint(0, 3))
        for part in (*parts, *others):
            for _ in range(self.chance.choice((1, 1, 2))):
                if self.chance.random() < 0.5:
                    await self.issue(part)
                else:
                    await self.remind(part, urgent=self.chance.random() < 0.2)

    async def owe_due(self, *parts: str) -> None:
        """`owe_some`, and the moment has come."""
        await self.owe_some(*parts)
        await self.arena.move(GATHERED)

    # What phones do.

    async def acknowledge(self, part: str, reminder_id: UUID, *, key: UUID | None = None) -> None:
        """Over HTTP, again and again under one key until an answer comes, as the offline queue does."""
        key = key or uuid4()
        phone = self.phones[part]

        async def answered() -> bool:
            try:
                if not phone.me:
                    await phone.sign_in()
                await phone.acknowledge(str(reminder_id), key=key)
            except (aiohttp.ClientError, TimeoutError):
                return False
            return True

        await until("the API answers the phone", answered, 2 * PATIENCE_SECONDS)

    async def receive(self, part: str, item: Item) -> None:
        """签收 over HTTP."""
        phone = self.phones[part]
        if not phone.me:
            await phone.sign_in()
        await phone.receive(str(item.id))

    # What is seen.

    async def states(self) -> set[str]:
        """States in which deliveries of the zone are."""
        rows = await database.fetch("select distinct state from delivery where zone_id = $1", self.zone.id)
        return {row["state"] for row in rows}

    async def until_in(self, *states: str) -> None:
        """Some delivery has one of these states. Raises Stuck."""

        async def there() -> bool:
            return bool(await self.states() & set(states))

        await until(f"a delivery is {' or '.join(states)}", there)

    async def until_called(self, path: str, before: int) -> None:
        """The platform was called there beyond `before` times. Raises Stuck."""

        async def called() -> bool:
            return await self.arena.calls(path) > before

        await until(f"the platform is called at {path}", called)

    async def until_accepted(self, before: int, count: int = 1) -> None:
        """The platform took so many messages beyond number `before`. Raises Stuck."""

        async def taken() -> bool:
            return await self.arena.last() >= before + count

        await until("the platform takes a message", taken)

    async def open_reminders(self, part: str) -> list[UUID]:
        """What the person may acknowledge, oldest first."""
        rows = await database.fetch(
            "select id from reminder where zone_id = $1 and person_id = $2 and state = 'open' and kind <> 'to_receive'"
            " order by id",
            self.zone.id,
            self.person(part),
        )
        return [row["id"] for row in rows]

    async def messages(self) -> list[dict[str, Any]]:
        """What the platform took for this zone's phones, oldest first."""
        own = {openid for phone in self.phones.values() for openid in (phone.openid, phone.service_openid)}
        return [message for message in await self.arena.sent(self.after) if message["openid"] in own]

    async def until_answered(self, since: int) -> None:
        """The platform has answered for all that it took since number `since`. Raises Stuck."""

        async def answered() -> bool:
            return all(message["answered"] for message in await self.arena.sent(since))

        await until("the platform has answered", answered)

    async def rang(self, part: str, *, since: int) -> int:
        """How many messages the platform took for the person since number `since`."""
        phone = self.phones[part]
        return sum(
            message["openid"] in (phone.openid, phone.service_openid) for message in await self.arena.sent(since)
        )

    async def sweep(self) -> None:
        """Every worker has looked at what is due since now: its rounds are a second apart."""
        before = await self._rounds()

        async def looked() -> bool:
            now = await self._rounds()
            return all(now[name] > before[name] + 1 for name in before)

        await until("every worker makes its rounds", looked)

    async def _rounds(self) -> dict[str, float]:
        return {name: await self.arena.rounds(name, "escalations.fire") for name in WORKERS}

    def expect(self, what: str, holds: bool) -> None:
        """Remember as a finding that `what` does not hold."""
        if not holds:
            self.remarks.append(what)

    # Time.

    async def to_morning(self, after_days: int = 0, hour: int = 10) -> None:
        """Ten in the morning of the next working day from so many days on."""
        days = await calendar_of(self.zone.id)
        day = days.add_working_days(self.day + timedelta(days=after_days - 1), 1)
        await self.move_to(clock.at(day, hour))

    async def to_step(self, item: Item, policy: str, step: int) -> None:
        """The second after a step of the item has come due."""
        timer = await Timer.get(zone_id=self.zone.id, item_id=item.id, policy_code=policy, step=step)
        assert timer.due_at is not None
        await self.move_to(timer.due_at + timedelta(seconds=1))

    async def move_to(self, instant: datetime) -> None:
        """Make it that instant."""
        await self.arena.move((instant - clock.now()).total_seconds())
