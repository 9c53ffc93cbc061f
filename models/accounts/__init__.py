"""Signing in: phones by WeChat, the console by password and one-time code, other platforms by service token."""

from models.accounts.access import Access, Accesses
from models.accounts.console import SignedIn, change_password, session_of, sign_in
from models.accounts.console import sign_out as sign_out_of_console
from models.accounts.directory import Credentials, accounts, create_account, reset_credentials, set_active
from models.accounts.idempotency import KeptAnswer
from models.accounts.service_tokens import (
    Service,
    create_service_token,
    revoke_service_token,
    service_of,
    service_tokens,
)
from models.accounts.sign_ins import (
    ACCESS_LASTS,
    Tokens,
    bind,
    end_sign_ins,
    open_sign_in,
    person_to_bind,
    refresh,
    sign_out,
)
from models.accounts.signing import Signer
from models.accounts.sweeping import forget_old
from models.accounts.tables import Account, Attempt, Feed, ServiceToken, Session, SignIn

__all__ = [
    "ACCESS_LASTS",
    "Access",
    "Accesses",
    "Account",
    "Attempt",
    "Credentials",
    "Feed",
    "KeptAnswer",
    "Service",
    "ServiceToken",
    "Session",
    "SignIn",
    "SignedIn",
    "Signer",
    "Tokens",
    "accounts",
    "bind",
    "change_password",
    "create_account",
    "create_service_token",
    "end_sign_ins",
    "forget_old",
    "open_sign_in",
    "person_to_bind",
    "refresh",
    "reset_credentials",
    "revoke_service_token",
    "service_of",
    "service_tokens",
    "session_of",
    "set_active",
    "sign_in",
    "sign_out",
    "sign_out_of_console",
]
