"""What each kind of event is called, how it looks, and among which it is shown."""

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

SIGN_IN, RECOVERY, CHANGES, STAFF = "sign-in", "recovery", "changes", "staff"


@dataclass(frozen=True)
class Kind:
    """Words for people; `tint` is ok, warn, stop or "", `icon` of elements/icon.html."""

    title: LazyString
    group: str
    icon: str
    tint: str = ""


UNKNOWN = Kind(_l("Something about the account changed"), CHANGES, "info")
KINDS = {
    "sign-in:begun": Kind(_l("Signed in"), SIGN_IN, "device", "ok"),
    "sign-in:refused": Kind(_l("Sign-in refused: the password was wrong"), SIGN_IN, "key", "warn"),
    "sign-in:ended": Kind(_l("Signed out"), SIGN_IN, "out"),
    "sign-in:all-ended": Kind(_l("Signed out on other devices"), SIGN_IN, "out"),
    "sign-in:confirmed": Kind(_l("Confirmed who it is"), SIGN_IN, "key", "ok"),
    "step-up:asked": Kind(_l("Asked for a code to change the password"), SIGN_IN, "mail"),
    "second-step:refused": Kind(_l("Second step refused: wrong code"), SIGN_IN, "key", "warn"),
    "tokens:reused": Kind(_l("A program's key was used twice"), SIGN_IN, "alert", "stop"),
    "password:refused": Kind(_l("The current password was typed wrong"), SIGN_IN, "key", "warn"),
    "recovery:asked": Kind(_l("Asked for a way back in"), RECOVERY, "key"),
    "recovery:sent-by-support": Kind(_l("Recovery email sent"), RECOVERY, "mail"),
    "recovery:code-shown": Kind(_l("Code shown on another device"), RECOVERY, "key"),
    "recovery:code-used": Kind(_l("Code of the recovery message used"), RECOVERY, "key", "ok"),
    "recovery:link-used": Kind(_l("Button of the recovery email used"), RECOVERY, "key", "ok"),
    "recovery:finished": Kind(_l("Got back in with a new password"), RECOVERY, "check", "ok"),
    "sign-up:asked": Kind(_l("Account created"), CHANGES, "pencil"),
    "sign-up:taken": Kind(_l("Somebody signed up with this address"), CHANGES, "alert", "warn"),
    "sign-up:link-used": Kind(_l("Button of the confirmation email used"), CHANGES, "mail"),
    "sign-up:proven": Kind(_l("Email address confirmed"), CHANGES, "mail", "ok"),
    "proof:sent-by-support": Kind(_l("Confirmation email sent again"), CHANGES, "mail"),
    "profile:changed": Kind(_l("Profile changed"), CHANGES, "pencil"),
    "password:changed": Kind(_l("Password changed"), CHANGES, "key", "ok"),
    "email:asked": Kind(_l("Asked to change the email address"), CHANGES, "mail"),
    "email:changed": Kind(_l("Email address changed"), CHANGES, "mail", "ok"),
    "email:stopped": Kind(_l("Change of the email address stopped"), CHANGES, "mail", "warn"),
    "phone:asked": Kind(_l("Asked to add a phone number"), CHANGES, "device"),
    "phone:added": Kind(_l("Phone number added"), CHANGES, "device", "ok"),
    "phone:changed": Kind(_l("Phone number changed"), CHANGES, "device", "ok"),
    "phone:removed": Kind(_l("Phone number removed"), CHANGES, "device"),
    "phone:lost": Kind(_l("Phone number confirmed by somebody else"), CHANGES, "device", "warn"),
    "two-step:on": Kind(_l("Two-step sign-in turned on"), CHANGES, "shield", "ok"),
    "two-step:off": Kind(_l("Two-step sign-in turned off"), CHANGES, "shield", "warn"),
    "two-step:replaced": Kind(_l("Authenticator app replaced"), CHANGES, "shield", "ok"),
    "two-step:cleared": Kind(_l("Two-step sign-in cleared"), CHANGES, "shield", "warn"),
    "two-step:new-codes": Kind(_l("New backup codes made"), CHANGES, "shield", "ok"),
    "backup-code:used": Kind(_l("Backup code used"), SIGN_IN, "shield", "warn"),
    "account:held": Kind(_l("Locked until a new password is chosen"), CHANGES, "lock", "stop"),
    "account:blocked": Kind(_l("Account blocked"), CHANGES, "lock", "stop"),
    "account:unblocked": Kind(_l("Account unblocked"), CHANGES, "lock", "ok"),
    "account:signed-out": Kind(_l("Signed out on every device"), SIGN_IN, "out"),
    "account:throttles-cleared": Kind(_l("Waiting times ended"), SIGN_IN, "clock", "ok"),
    "account:role-changed": Kind(_l("Role changed"), CHANGES, "person"),
    "account:delete-asked": Kind(_l("Account deleted"), CHANGES, "alert", "stop"),
    "account:deleted": Kind(_l("Account deleted"), CHANGES, "alert", "stop"),
    "account:restored": Kind(_l("Account kept"), CHANGES, "check", "ok"),
    "staff:invited": Kind(_l("Invited to be staff"), CHANGES, "person"),
    "staff:joined": Kind(_l("Became staff"), CHANGES, "person", "ok"),
    "staff:invitation-withdrawn": Kind(_l("Invitation to be staff withdrawn"), CHANGES, "person"),
    "desk:opened": Kind(_l("Account page opened"), CHANGES, "eye"),
    "log:exported": Kind(_l("Log taken out as a file"), STAFF, "down"),
}

# What an event keeps beyond its kind: how many sign-ins it ended, or one of these.
COUNTING = (
    "account:blocked", "account:delete-asked", "account:deleted", "account:held",
    "account:signed-out", "email:changed", "password:changed", "sign-in:all-ended",
    "two-step:cleared",
)  # fmt: skip
DETAILS = {
    ("sign-in:begun", "program"): _l("A program."),
    ("sign-in:begun", "app"): _l("With a code from the authenticator app."),
    ("sign-in:begun", "backup code"): _l("With a backup code."),
    ("sign-in:confirmed", "app"): _l("With a code from the authenticator app."),
    ("second-step:refused", "mismatch, signed in"): _l("In a browser that was signed in."),
    ("second-step:refused", "used, signed in"): _l("In a browser that was signed in."),
    ("profile:changed", "picture removed"): _l("Picture removed."),
    ("email:stopped", "put back"): _l("The old address is back."),
}
ATTRIBUTES = {
    "full_name": _l("full name"),
    "username": _l("username"),
    "job_title": _l("job title"),
    "organisation": _l("organisation"),
    "city": _l("town or city"),
    "country": _l("country"),
    "bio": _l("biography"),
    "social_links": _l("links"),
    "picture": _l("picture"),
}


def of(kind: str) -> Kind:
    """One that nobody described has neutral words."""
    return KINDS.get(kind, UNKNOWN)


def named(group: str) -> list[str]:
    """The kinds of a group, as they are kept."""
    return [name for name, kind in KINDS.items() if kind.group == group]
