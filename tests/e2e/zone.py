"""The stage of these tests: the sample zone's corner, staffed and issued, and who of it a test may have for itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from deploy import seeding
from deploy.story.cast import Player
from deploy.story.office import Office
from deploy.story.world import FIRST_EVENING, World
from miniprogram_mock.phones import Phone
from models.accounts import Signer
from models.base import database

Json = dict[str, Any]


class IssuedZone:
    """A running product whose items were issued this morning."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.items: list[Json] = []
        self._owners: Iterator[str] = iter(())
        self._closed = False
        inspecting = (player for player in world.cast.values() if "检查人员" in player.roles)
        self._inspectors = iter(sorted(inspecting, key=lambda player: player.number))

    async def prepare(self) -> None:
        """Roster, accounts, items; then it is Monday, nine o'clock."""
        world = self.world
        await world.move_to(FIRST_EVENING, 9)
        await database.connect(world.stack.services.database_url, pool=2)
        try:
            zone = await seeding.zone_with_roster()
            signer = Signer(world.stack.environment["ZHUOLUO_SIGNING_KEY"])
            await seeding.console_accounts(zone, self._accounts, signer)
        finally:
            await database.disconnect()
        office = await self.office("oversight")
        campaign = (await office.write("/campaigns", {"name": "2026年政治监督台账"}))["id"]
        await office.upload(f"/campaigns/{campaign}/items/import", world.workbook.read_bytes(), dry_run="false")
        await office.write(f"/campaigns/{campaign}/issue", {"although_similar": True})
        self.items = await office.all("/items")
        self._owners = iter(
            dict.fromkeys(item["owner"] for item in self.items if item["owner"] != self._quick["owner"])
        )

    @property
    def _quick(self) -> Json:
        """An item that is fixed at once, which needs one review only: look-backs look at this one."""
        return next(item for item in self.items if item["immediate_fix"])

    @property
    def _accounts(self) -> Path:
        return self.world.folder / "secrets" / "accounts"

    async def office(self, role: str) -> Office:
        """Somebody at the console with this role (`oversight`, `admin`…), signed in, the same one at each call."""
        offices = self.world.offices
        if role not in offices:
            files = sorted(self._accounts.iterdir())
            file = next(one for one in files if orjson.loads(one.read_bytes())["role"] == role)
            offices[role] = Office.of_file(self.world.stack.api_url, file)
            await offices[role].sign_in()
            await offices[role].change_password()
        return offices[role]

    def owner(self) -> Player:
        """Somebody who owns items and whom no other test has."""
        return self.named(next(self._owners))

    def matter(self) -> tuple[Player, Json]:
        """Such an owner, and an item of theirs that goes through both reviews (立行立改 skips the first)."""
        while True:
            owner = self.owner()
            if reviewed := [item for item in self.items_of(owner) if not item["immediate_fix"]]:
                return owner, reviewed[0]

    def named(self, name: str) -> Player:
        """The person of this name."""
        return next(player for player in self.world.cast.values() if player.name == name)

    async def responsible(self, item: Json, label: str) -> Player:
        """Whoever has this part in the item's chain: 单位负责人, 监督机构…"""
        told = await (await self.simulated(self.named(item["owner"]))).read(f"/items/{item['id']}/responsible")
        return self.named(next(rung["name"] for rung in told["chain"] if rung["label"] == label))

    def items_of(self, player: Player) -> list[Json]:
        """What they own."""
        return [item for item in self.items if item["owner"] == player.name]

    async def simulated(self, player: Player) -> Phone:
        """A phone without a screen, signed in: for people whom a test needs but does not look at."""
        phone = self.world.phone(player.number)
        await phone.register()
        await phone.sign_in()
        return phone

    def inspector(self) -> Player:
        """Somebody who inspects and whom no other test has."""
        return next(self._inspectors)

    async def visit(self, *inspectors: Player) -> Json:
        """A look-back at the closed item, drawn for these one or two inspectors."""
        await self._close_quick()
        team = [(await self.simulated(one)).person_id for one in inspectors]
        office = await self.office("oversight")
        facts = {
            "name": f"回头看{uuid4().hex[:6]}",
            "population": {},
            "count": 1,
            "team": len(team),
            "inspectors": team,
            "although_visited": "各项测试各抽一次",
        }
        plan = (await office.write("/lookbacks", facts))["id"]
        await office.write(f"/lookbacks/{plan}/draw", {})
        (visit,) = await office.all(f"/lookbacks/{plan}/visits")
        return visit

    async def _close_quick(self) -> None:
        if self._closed:
            return
        item = self._quick
        owner = await self.simulated(next(one for one in self.world.cast.values() if one.name == item["owner"]))
        await owner.receive(item["id"])
        await owner.state("已逐户电话说明，学位已落实。", item_id=item["id"])
        await owner.request_close_out(item["id"])
        await (await self.office("oversight")).write(f"/items/{item['id']}/oversight-review", {"passed": True})
        self._closed = True

    async def urge(self, player: Player) -> Json:
        """The discipline office urges the owner about one of their items, which is answered."""
        item = self.items_of(player)[0]
        overseer = next(one for one in self.world.cast.values() if "监督人员" in one.roles or "LC01" in one.posts)
        await (await self.simulated(overseer)).write(f"/items/{item['id']}/urge", {"note": "请于本周内签收"})
        return item
