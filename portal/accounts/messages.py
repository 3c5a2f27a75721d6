"""What accounts write to people."""

from flask_babel import lazy_gettext as _l

from portal.accounts import blocks, invitations, letters, people, roles
from portal.accounts.models import Person
from portal.codes import challenges, copies
from portal.codes.models import CHANGE_EMAIL, DESK
from portal.core import audit
from portal.core.audit import Event
from portal.core.settings import setting
from portal.delivery.recipes import CODE, Letter, recipe

BLOCKED, UNBLOCKED = "account:blocked", "account:unblocked"


@recipe("confirm_address", _l("Confirming your email address"), CODE)
def confirm_address(about: str) -> Letter:
    """Code and link to the address that signed up (`about`: challenge, or challenge:event).

    The typed name is left out: until the address is proven it is a stranger's words in somebody's
    mailbox.  Nobody's address walks the same way.  Where the helpdesk sends it (the event) that
    is said, with the reason; no page waits for the code then, which is left out.
    """
    challenge_id, _colon, event_id = about.partition(":")
    challenge, person = letters.wish(challenge_id)
    event = audit.get(int(event_id)) if event_id else None
    if challenge is None:
        return Letter(None)
    address = person.email if person and person.email_proven_at is None else None
    to = address if challenges.is_wanted(challenge) else None
    values = {"address": address or "", "waiting": challenge.door != DESK}
    said = letters.by_support(event) if event else {}
    helped = {"helped": event is not None}
    return letters.with_code(to, copies.write(challenge), values | said | helped)


@recipe("already_registered", _l("You already have an account"), CODE)
def already_registered(about: str) -> Letter:
    """To the owner of an address that somebody else wants to have (`about`: challenge:person).

    It carries no code.  One that nobody has is made all the same: whoever signed up counts its
    tries and its time.
    """
    challenge_id, _colon, person_id = about.partition(":")
    challenge, person = challenges.of_id(challenge_id), people.get(int(person_id))
    if challenge is None or person is None:
        return Letter(None)
    values = {
        "name": letters.greeted(person),
        "address": person.email,
        "moving": challenge.purpose == CHANGE_EMAIL,  # of an account that is there already
        "sign_in": setting("PUBLIC_URL") + "/sign-in",
        "recover": setting("PUBLIC_URL") + "/recover",
    }
    to = person.email if challenges.is_wanted(challenge) else None
    return letters.without_code(to, copies.write(challenge), values)


@recipe("password_changed", _l("Your password is changed"))
def password_changed(about: str) -> Letter:
    """A plain notice after a password change (`about`: its event); it resets nothing."""
    return letters.notice(about, lambda event, _person: {"signed_out": int(event.detail or 0)})


@recipe("new_device", _l("New sign-in"))
def new_device(about: str) -> Letter:
    """Somebody came in with what was not known, browser or program (`about`: the sign-in's event).

    Neither network nor place is told: a number says nothing, and a place would be guessed.
    """
    return letters.notice(about, lambda event, _person: {"program": event.detail == "program"})


@recipe("many_wrong_passwords", _l("Many wrong passwords"))
def many_wrong_passwords(about: str) -> Letter:
    """The limit of wrong passwords was reached (`about`: the event of the last of them)."""
    return letters.notice(about, _attempts)


@recipe("refresh_reused", _l("A program was signed out"))
def refresh_reused(about: str) -> Letter:
    """A refresh token was used twice (`about`: its event): its sign-in was ended for both users."""
    return letters.notice(about)


@recipe("unlocked_by_support", _l("Unlocked by support"))
def unlocked_by_support(about: str) -> Letter:
    """The helpdesk ended a block or a waiting time (`about`: its event)."""
    return letters.notice(about, _help)


@recipe("signed_out_by_support", _l("Signed out by support"))
def signed_out_by_support(about: str) -> Letter:
    """The helpdesk ended every sign-in (`about`: its event)."""
    return letters.notice(about, lambda event, _person: letters.by_support(event))


@recipe("blocked_by_support", _l("Blocked by support"))
def blocked_by_support(about: str) -> Letter:
    """The helpdesk blocked the account (`about`: its event): nothing to press opens it."""
    return letters.word(about, _block)


@recipe("staff_invitation", _l("An invitation to join the helpdesk"), CODE)
def staff_invitation(about: str) -> Letter:
    """The link to join as staff (`about`: the challenge); who invites is named, where it is safe.

    No page waits for the code that is made with every link.
    """
    (challenge, person), invitation = letters.wish(about), invitations.of_challenge(about)
    if challenge is None or invitation is None or person is None:
        return Letter(None)
    giver = invitations.inviter(invitation)
    values = {
        "name": letters.greeted(person),
        "inviter": letters.greeted(giver),
        "by_operator": invitation.invited_by_id is None,
        "role": roles.called(invitation.role),
    }
    to = person.email if challenges.is_wanted(challenge) else None
    return letters.with_code(to, copies.write(challenge), values)


@recipe("role_changed", _l("Your role is changed"))
def role_changed(about: str) -> Letter:
    """An admin or the operator gave the person another role (`about`: its event)."""
    return letters.notice(about, _roles)


def _roles(event: Event, _person: Person) -> dict[str, object]:
    before, _to, after = event.detail.partition(" to ")
    new = roles.called(after) if roles.rank(after) else ""
    return letters.by_support(event) | {"before": roles.called(before), "after": new}


def _attempts(_event: Event, _person: Person) -> dict[str, object]:
    return {
        "tries": setting("WRONG_PASSWORDS_PER_ACCOUNT"),
        "pause": setting("WRONG_PASSWORDS_PER_ACCOUNT_SECONDS"),
        "recover": setting("PUBLIC_URL") + "/recover",
    }


def _help(event: Event, _person: Person) -> dict[str, object]:
    return letters.by_support(event) | {"unblocked": event.kind == UNBLOCKED}


def _block(event: Event, _person: Person) -> dict[str, object]:
    return letters.by_support(event) | {"until": blocks.end_told(event.detail)}
