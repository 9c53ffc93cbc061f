"""Whom the services run as: ourselves, or, when we are root, an unprivileged user of their own."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Outside every range that distributions and systemd hand out, so nothing else belongs to it.
SERVICE_UID = 60817


@dataclass(frozen=True)
class Account:
    """A user to run a program as, None standing for ourselves."""

    uid: int | None

    def popen(self) -> dict[str, Any]:
        """The arguments of subprocess.Popen that make the child run as this user, without our groups."""
        return {} if self.uid is None else {"user": self.uid, "group": self.uid, "extra_groups": []}

    def take_over(self, path: Path) -> None:
        """Own `path` if it was another user's, as when root first starts what an ordinary user set up."""
        if self.uid is not None and path.stat().st_uid != self.uid:
            self.own(path)

    def own(self, path: Path) -> None:
        """Give `path`, and everything under it, to this user."""
        if self.uid is None:
            return
        # Never through a link: its target would be handed over to an unprivileged user.
        for found in (path, *path.rglob("*")):
            os.chown(found, self.uid, self.uid, follow_symlinks=False)

    def barrier(self, path: Path) -> Path | None:
        """The first existing folder on the way to `path` that this user may not enter, or None."""
        if self.uid is None:
            return None
        path = path.resolve()
        return next((folder for folder in reversed(path.parents) if folder.exists() and not self._enters(folder)), None)

    def _enters(self, folder: Path) -> bool:
        state = folder.stat()
        mine = stat.S_IXUSR if state.st_uid == self.uid else stat.S_IXOTH
        return bool(state.st_mode & mine)


def service_account() -> Account:
    """Whom the servers run as. PostgreSQL refuses to run as root."""
    return Account(SERVICE_UID if os.geteuid() == 0 else None)


def setup_account() -> Account:
    """Whom PostgreSQL's set-up programs run as: unlike the server, they look their user's name up.

    Raises KeyError on a system without the user ``nobody``.
    """
    return Account(pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None)
