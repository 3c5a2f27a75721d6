"""What recovery writes to people."""

from portal.accounts import people
from portal.codes import challenges
from portal.delivery.recipes import Letter, recipe


@recipe("recovery")
def recovery(about: str) -> Letter:
    """Code and link to get back in (`about`: the challenge).

    Unknown or overtaken: the same work, and nobody to send it to.
    """
    challenge = challenges.current(about)
    if challenge is None:
        return Letter(None, accepted=lambda now: challenges.sent(about, now))
    written = challenges.write(challenge)
    person = people.get(challenge.user_id)
    values = {
        "name": person.full_name if person and person.email_proven_at else "",
        "address": person.email if person else "",
        "code": written.code,
        "link": written.link,
        "code_seconds": challenge.code_seconds,
        "tries": challenge.max_attempts,
        "link_seconds": challenge.link_seconds,
        "device": challenge.device,
        "asked_at": challenge.opened_at,
    }
    return Letter(person.email if person else None, values, written.accepted, written.refused)
