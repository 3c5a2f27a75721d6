"""What the page of numbers shows: each picture with its finding."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from flask_babel import format_date
from flask_babel import gettext as _

from portal.codes.models import SMS
from portal.core import phrases
from portal.recovery import funnel
from portal.staff import charts, findings, sums
from portal.staff.charts import Bars, Step
from portal.staff.findings import Finding
from portal.staff.sums import Domain, Sums

# Seconds at which the next group of times begins.
GROUPS = 30, 60, 120, 300, 900, 3600


@dataclass(frozen=True)
class Walk:
    """The steps of recovery on each day: a picture of the first and the last, a table of all.

    `days`: the day in words with its numbers, newest first.
    """

    labels: Sequence[str]
    asked: Bars
    finished: Bars
    days: Sequence[tuple[str, Sequence[str]]]
    finding: Finding


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
        "kept_out": _kept_out(found),
        "nobody_asked": not found.total(*sums.STEPS[0]),
    }


def _recovery(found: Sums) -> dict[str, object]:
    counts, took = found.steps(), found.took()
    domains = [] if found.span.channel == SMS else found.domains()
    return {
        "steps": charts.steps(list(zip(_labels(), counts, strict=True))),
        "steps_finding": findings.of_steps(counts),
        "nobodys": _nobodys(found),
        "walk": _walk(found),
        "times": (_times(took), findings.of_times(took)),
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


def _walk(found: Sums) -> Walk:
    """On one scale; on a day more may come back in than ask."""
    steps = [found.days(*names, parts=found.span.channels) for names in sums.STEPS]
    first, last = steps[0], steps[-1]
    most = max([*first.values(), *last.values()])
    rows = [
        (str(format_date(day, "d MMM")), [charts.number(each[day]) for each in steps])
        for day in reversed(found.span.dates)
    ]
    asked = charts.bars(first, most)
    finding = Finding(_("Asked: %(found)s", found=findings.of_days(asked).text))
    return Walk(_short_labels(), asked, charts.bars(last, most), rows, finding)


def _short_labels() -> tuple[str, ...]:
    return _("Asked"), _("Accepted"), _("Opened"), _("Used"), _("Back in")


def _times(took: Mapping[int, int]) -> list[Step]:
    """How many were back in within a minute, two, ...; to about 12 % at the edges."""
    counts = [0] * (len(GROUPS) + 1)
    for seconds, count in took.items():
        counts[bisect_right(GROUPS, seconds)] += count
    return _parts(list(zip(_spans(), counts, strict=True)))


def _spans() -> list[str]:
    ends = [phrases.duration(each) for each in GROUPS]
    return [
        _("Less than %(span)s", span=ends[0]),
        *(_("%(least)s to %(most)s", least=a, most=b) for a, b in pairwise(ends)),
        _("%(span)s or longer", span=ends[-1]),
    ]


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
        "opened": charts.share(min(domain.opened, asked), asked),
        "used": charts.share(min(domain.used, asked), asked),
        "finished": charts.share(min(domain.finished, asked), asked),
    }


def _sign_ins(found: Sums) -> list[Days]:
    shown = (
        ("in", _("Sign-ins"), _("Sign-ins"), sums.SIGN_INS),
        ("refused", _("Wrong passwords"), _("Refused"), sums.REFUSED),
        ("second", _("Wrong codes at the second step"), _("Refused"), sums.SECOND_STEP),
    )
    return [*_each(found, shown), _two_step(found)]


def _kept_out(found: Sums) -> list[Days]:
    """Each request that had to wait is counted, so that one person may be many."""
    shown = (
        ("kept", _("Kept out after too many wrong passwords"), _("Times"), sums.KEPT_OUT),
        ("stepped", _("Too many wrong codes at the second step"), _("Times"), sums.STEPPED),
        ("codes", _("Too many wrong codes from a message"), _("Times"), sums.CODES),
        ("sends", _("Messages not sent, too many asked for"), _("Times"), sums.SENDS),
        ("blocked", _("Accounts blocked by the helpdesk"), _("Blocked"), sums.BLOCKED),
    )
    return _each(found, shown)


def _each(found: Sums, shown: Iterable[tuple[str, str, str, str]]) -> list[Days]:
    return [_days(id_, title, head, found.days(name)) for id_, title, head, name in shown]


def _two_step(found: Sums) -> Days:
    """Turned on and off: how many have it at all is in no sum."""
    on = found.days(sums.TWO_STEP_ON)
    note = _(
        "Turned off in these days: %(count)s. How many have it on in all is not counted.",
        count=charts.number(found.total(*sums.TWO_STEP_OFF)),
    )
    return replace(_days("on", _("Two-step sign-in turned on"), _("Turned on"), on), note=note)


def _days(id_: str, title: str, counted: str, days: dict[date, int]) -> Days:
    chart = charts.bars(days)
    return Days(id_, title, counted, chart, findings.of_days(chart))
