"""Chapter 1: from nothing to a zone whose offices are signed in."""

from deploy.story.office import Office
from deploy.story.world import FIRST_EVENING, SAMPLE, ZONE, World

BAD_CELLS = (
    ("/人员/58/手机号", "bad_phone"),
    ("/人员/402/人员编号", "duplicate_person"),
    ("/任职/204/单位编码", "unknown_unit"),
    ("/任职/402/任职截止", "bad_period"),
    ("/角色/573/角色", "unknown_role"),
)
"""The five bad rows of roster_bad.xlsx (docs/formats.md)."""
OFFICES = {"admin": "G0027", "security_admin": "G0145", "auditor": "G0131", "oversight": "G0009", "second": "G0010"}


async def migrate(world: World) -> None:
    """An empty database gets the schema, before any process of the product runs."""
    world.tell.chapter("A fresh database")
    status, output = await world.command("migrate")
    world.tell.require("zhuoluo migrate", status == 0, output.strip(), "exit status 0")


async def roster(world: World) -> None:
    """A roster with bad rows is refused with every one of them named; the clean one is taken, twice the same."""
    tell = world.tell
    tell.chapter("A zone and its roster")
    await world.move_to(FIRST_EVENING, 16)
    status, output = await world.command("zone", "create", ZONE, "澜川经济开发区（虚构）")
    tell.require("zone created", status == 0, output.strip(), "exit status 0")
    status, output = await world.command("roster", "import", ZONE, str(SAMPLE / "roster_bad.xlsx"))
    tell.expect("roster_bad.xlsx: exit status", status, 1)
    named = [cell for cell in BAD_CELLS if cell[0] in output and cell[1] in output]
    for place, code in named:
        tell.fact(f"refused: {place} {code}")
    tell.expect("bad cells named", len(named), len(BAD_CELLS))
    status, output = await world.command("roster", "import", ZONE, str(SAMPLE / "roster.xlsx"))
    tell.require("roster.xlsx: exit status", status == 0, status, 0)


async def offices(world: World) -> None:
    """First accounts from the command line; then only password and one-time code open the console."""
    tell, kept = world.tell, world.folder / "secrets" / "accounts"
    tell.chapter("The offices sign in")
    status, output = await world.command("account", "create", ZONE, *OFFICES.values(), "--keep", str(kept))
    tell.require("accounts created", status == 0, f"{len(OFFICES)}", output)
    for role, number in OFFICES.items():
        office = Office.of_file(world.stack.api_url, kept / number.lower())
        world.offices[role] = office
        wrong = f"{(int(office.code()) + 1) % 1_000_000:06}"
        if role == "admin":
            await tell.refused("a wrong one-time code", office.sign_in(wrong), "sign_in_failed")
        session = await office.sign_in()
        tell.require("the first password must be changed", session["must_change_password"], True, True)
        await office.change_password()
        tell.fact(f"{office.login} signed in with TOTP: {', '.join((await office.read('/session'))['roles'])}")
    await _roster_again(world)


async def _roster_again(world: World) -> None:
    """The same file over the console changes nothing; a write without the page's CSRF token is refused."""
    tell, admin = world.tell, world.offices["admin"]
    data = (SAMPLE / "roster.xlsx").read_bytes()
    done = await admin.upload("/organization/roster", data)
    changed = {
        sheet: change["added"] + change["changed"] + change["ended"] for sheet, change in done["changes"].items()
    }
    tell.expect("the same roster again changes", sum(changed.values()), 0)
    forged = admin.write("/organization/roster", data=data, headers={"x-csrf-token": "another page's"})
    await tell.refused("a write without the page's CSRF token", forged, "csrf_token_wrong")
