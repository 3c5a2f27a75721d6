"""What recovery writes to people."""

from portal.accounts import people
from portal.codes import challenges, flows
from portal.delivery.recipes import Letter, recipe


@recipe("recovery")
def recovery(about: str) -> Letter:
    """Code and link to get back in (`about`: the challenge).

    Unknown or overtaken: the same work, and nobody to send it to.
    """
    challenge = challenges.of_id(about)
    if challenge is None:
        return Letter(None)
    written = challenges.write(challenge)
    person = people.get(challenge.user_id)
    address = person.email if person else ""
    values = {
        "name": person.full_name if person and person.email_proven_at else "",
        "address": address,
        "code": written.code,
        "link": written.link,
        "code_seconds": challenge.code_seconds,
        "tries": challenge.max_attempts,
        "link_seconds": challenge.link_seconds,
        "device": challenge.device,
        "asked_at": challenge.opened_at,
    }
    wanted = challenges.is_wanted(challenge) and not flows.is_over(challenge)
    return Letter(address if person and wanted else None, values, written.accepted, written.refused)
