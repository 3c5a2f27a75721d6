"""All that the page of one person shows.  Never a code, a link, or anything of a password."""

from uuid import UUID

from portal.accounts import attention, people, phones, roles, waiting
from portal.accounts.models import Person
from portal.core import phrases
from portal.core.db import db
from portal.core.errors import NotAllowed
from portal.profile import countries
from portal.profile.models import Profile
from portal.security import activity, sent, sign_ins
from portal.staff import offers, standing, traces

EVENTS, MESSAGES = 20, 10  # on one page of the timeline, and of the messages


def of(uuid: UUID) -> Person:
    """The person of this name in links.  Raises NotAllowed when there is none, or none any more."""
    found = people.of_uuid(uuid)
    if found is None:
        raise NotAllowed
    return found


def facts(
    person: Person, me: Person, show: str = "", before: int | None = None, page: int = 1
) -> dict[str, object]:
    """The values of the template, but for the forms of the acts that are `offered` to `me`.

    `show` and `before` choose the events (a group, and from where on), `page` the messages.
    """
    seen = attention.newest(person.id)  # before the timeline: what is counted as seen is shown
    counts = waiting.running(person)
    return {
        "person": person,
        "standing": standing.of(person, counts),
        "offered": offers.acts(person, me, len(counts)),
        "tags": standing.tags(person),
        "role": roles.called(person.role).capitalize() if roles.is_staff(person) else "",
        "number": phones.shown(person.phone) if person.phone else "",
        "last": _last(person),
        "devices": sign_ins.of_person(person),
        "messages": sent.to_person(person, page, MESSAGES),
        "recoveries": traces.recoveries(person),
        "leaf": activity.of_person(person.id, show, before, EVENTS, for_desk=True),
        "groups": activity.GROUPS,
        "seen": seen,
        **_said(person),
    }


def _last(person: Person) -> str:
    last = traces.last_sign_ins([person.id]).get(person.id)
    return traces.last_told(person, last, phrases.moment(last) if last else "")


def _said(person: Person) -> dict[str, str]:
    """What they say of themselves that tells them apart from others of the same name."""
    kept = db.session.get(Profile, person.id, populate_existing=True)
    if kept is None:
        return {"organisation": "", "place": ""}
    place = ", ".join(filter(None, (kept.city, countries.name(kept.country))))
    return {"organisation": kept.organisation, "place": place}
