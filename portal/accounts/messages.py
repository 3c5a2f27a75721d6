"""What accounts write to people."""

from portal.accounts import people
from portal.codes import challenges
from portal.core import audit
from portal.core.settings import setting
from portal.delivery.recipes import Letter, recipe


@recipe("confirm_address")
def confirm_address(about: str) -> Letter:
    """Code and link to the address that signed up (`about`: the challenge).

    The typed name is left out: until the address is proven it is a stranger's words in somebody's
    mailbox.
    """
    challenge = challenges.of_id(about)
    person = people.get(challenge.user_id) if challenge else None
    if challenge is None or person is None:
        return Letter(None)
    written = challenges.write(challenge)
    values = {
        "code": written.code,
        "link": written.link,
        "address": person.email,
        "code_seconds": challenge.code_seconds,
        "tries": challenge.max_attempts,
        "link_seconds": challenge.link_seconds,
        "device": challenge.device,
        "asked_at": challenge.opened_at,
    }
    wanted = challenges.is_wanted(challenge) and person.email_proven_at is None
    return Letter(person.email if wanted else None, values, written.accepted, written.refused)


@recipe("already_registered")
def already_registered(about: str) -> Letter:
    """To the owner of an address that was signed up again (`about`: challenge:person).

    It carries no code.  One that nobody has is made all the same: whoever signed up counts its
    tries and its time.
    """
    challenge_id, _colon, person_id = about.partition(":")
    challenge, person = challenges.of_id(challenge_id), people.get(int(person_id))
    if challenge is None or person is None:
        return Letter(None)
    unsent = challenges.write(challenge)
    values = {
        "name": person.full_name,
        "address": person.email,
        "sign_in": setting("PUBLIC_URL") + "/sign-in",
        "recover": setting("PUBLIC_URL") + "/recover",
    }
    wanted = challenges.is_wanted(challenge)
    return Letter(person.email if wanted else None, values, unsent.accepted, unsent.refused)


@recipe("password_changed")
def password_changed(about: str) -> Letter:
    """A plain notice after a password change (`about`: its event); it resets nothing."""
    event = audit.get(int(about))
    person = people.get(event.person_id) if event else None
    if event is None or person is None:
        return Letter(None)
    known = person.email_proven_at is not None and person.email_proven_at < event.at
    values = {
        "name": person.full_name if known else "",  # until then it may be a stranger's words
        "address": person.email,
        "changed_at": event.at,
        "device": event.device,
        "signed_out": int(event.detail or 0),
        "recover": setting("PUBLIC_URL") + "/recover",
    }
    return Letter(person.email, values)
