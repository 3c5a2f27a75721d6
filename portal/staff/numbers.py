"""What the page of numbers shows: each picture with its finding."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from flask_babel import gettext as _

from portal.codes.models import SMS
from portal.recovery import funnel
from portal.staff import charts, findings, sums
from portal.staff.charts import Bars, Step
from portal.staff.findings import Finding
from portal.staff.sums import Domain, Sums


@dataclass(frozen=True)
class Days:
    """One picture of bars; `counted` heads the column of its table."""

    id: str
    title: str
    counted: str
    chart: Bars
    finding: Finding
    note: str = ""


def page(days: str | None, channel: str | None) -> dict[str, object]:
    """Everything on the page, as the template takes it."""
    found = Sums(sums.span(days, channel))
    return _recovery(found) | {
        "span": found.span,
        "periods": sums.PERIODS,
        "sign_ins": _sign_ins(found),
        "nobody_asked": not found.total(*sums.STEPS[0]),
    }


def _recovery(found: Sums) -> dict[str, object]:
    counts, took = found.steps(), found.took()
    domains = [] if found.span.channel == SMS else found.domains()
    return {
        "steps": charts.steps(list(zip(_labels(), counts, strict=True))),
        "steps_finding": findings.of_steps(counts),
        "nobodys": _nobodys(found),
        "asked": _asked(found),
        "times_finding": findings.of_times(took),
        "ways": _ways(found),
        "refused": _refused(found),
        "domains": [_row(each) for each in domains[: sums.SHOWN_DOMAINS]],
        "domains_finding": findings.of_domains(domains),
    }


def _labels() -> tuple[str, ...]:
    return (
        _("Asked for a way back in"),
        _("Accepted by the mail server"),
        _("Opened, or a code typed"),
        _("Code or button used"),
        _("New password chosen"),
    )


def _nobodys(found: Sums) -> str:
    return charts.number(found.total(funnel.ASKED, parts=[funnel.NOBODYS]))


def _asked(found: Sums) -> Days:
    days = found.days(funnel.ASKED, funnel.BY_SUPPORT, parts=found.span.channels)
    return _days("asked", _("Asked, day by day"), _("Asked"), days)


def _ways(found: Sums) -> tuple[list[Step], Finding]:
    link, code = (found.of_channels(funnel.USED, way) for way in (funnel.LINK, funnel.CODE))
    labels = (_("The button in the email"), link), (_("A typed code"), code)
    return _parts(labels), findings.of_ways(link, code)


def _refused(found: Sums) -> tuple[list[Step], Finding]:
    reasons = funnel.RUN_OUT, funnel.WRONG
    late, wrong = (found.of_channels(funnel.REFUSED, why) for why in reasons)
    return _parts(((_("Run out"), late), (_("Wrong"), wrong))), findings.of_refused(late, wrong)


def _parts(labelled: Sequence[tuple[str, int]]) -> list[Step]:
    """Each as a share of all of them together."""
    whole = sum(count for _label, count in labelled)
    return [Step(label, count, whole) for label, count in labelled]


def _row(domain: Domain) -> dict[str, str]:
    """Asked for before midnight and accepted after it: never more than all are shown."""
    asked = domain.asked
    return {
        "name": domain.name,
        "asked": charts.number(asked),
        "accepted": charts.share(min(domain.accepted, asked), asked),
        "finished": charts.share(min(domain.finished, asked), asked),
    }


def _sign_ins(found: Sums) -> list[Days]:
    on, off = (found.total(name) for name in sums.TWO_STEP)
    words = _("Turned off in these days: %(count)s. How many have it on in all is not counted.")
    shown = (
        ("in", _("Sign-ins"), _("Sign-ins"), sums.SIGN_INS),
        ("refused", _("Wrong passwords"), _("Refused"), sums.REFUSED),
        ("second", _("Wrong codes at the second step"), _("Refused"), sums.SECOND_STEP),
        ("kept", _("Kept out after too many wrong passwords"), _("Times"), sums.KEPT_OUT),
        ("blocked", _("Accounts blocked by the helpdesk"), _("Blocked"), sums.BLOCKED),
    )
    listed = [_days(id_, title, head, found.days(name)) for id_, title, head, name in shown]
    two_step = _days(
        "on", _("Two-step sign-in turned on"), _("Turned on"), found.days(sums.TWO_STEP[0])
    )
    return [*listed, replace(two_step, note=turned if on or off else "")]


def _days(id_: str, title: str, counted: str, days: dict[date, int]) -> Days:
    chart = charts.bars(days)
    return Days(id_, title, counted, chart, findings.of_days(chart))
