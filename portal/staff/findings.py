"""What stands out in numbers, in one sentence each.  Pure: nothing is looked up here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.core import phrases
from portal.staff.charts import FEW, Bars, biggest_loss, number, share

MANY_LOST = 5  # one in five, between one step and the next
FAR_BELOW = 10  # points of a hundred, of a domain under all of them


@dataclass(frozen=True)
class Finding:
    """A sentence; `alarm`: something to look into."""

    text: str
    alarm: bool = False


class Domain(Protocol):
    """How far those came whose address is there."""

    @property
    def name(self) -> str: ...
    @property
    def asked(self) -> int: ...
    @property
    def accepted(self) -> int: ...
    @property
    def finished(self) -> int: ...


def of_steps(counts: Sequence[int]) -> Finding:
    """Where recovery stops, and what to suggest."""
    drop = biggest_loss(counts)
    if not counts[0]:
        return Finding(_("Nobody with an account asked for a way back in."))
    if drop is None:
        return Finding(_("Whoever asked came back in."))
    before, lost = counts[drop - 1], counts[drop - 1] - counts[drop]
    alarm = before >= FEW and lost * MANY_LOST >= before
    return Finding(_where(drop, share(lost, before)), alarm)


def _where(drop: int, lost: str) -> str:
    return (
        _("The biggest loss: for %(lost)s no message was accepted. Look at deliveries.", lost=lost),
        _("The biggest loss: %(lost)s did not open the message. It may lie in Spam.", lost=lost),
        _(
            "The biggest loss: %(lost)s opened the message and used neither code nor button."
            " The button lasts longer than the code.",
            lost=lost,
        ),
        _("The biggest loss: %(lost)s proved who they are and chose no password.", lost=lost),
    )[drop - 1]


def of_times(took: Mapping[int, int]) -> Finding:
    """How long it took to get back in (bucket in seconds -> how many)."""
    total = sum(took.values())
    if not total:
        return Finding(_("Nobody came back in."))
    if total < FEW:
        slowest = about(max(took))
        words = ngettext(
            "%(num)d came back in, after about %(slowest)s.",
            "%(num)d came back in, the slowest after about %(slowest)s.",
            total,
            slowest=slowest,
        )
        return Finding(words)
    half, most = about(quantile(took, 50) or 0), about(quantile(took, 95) or 0)
    return Finding(
        _(
            "Half were back in about %(half)s after they asked, 95 of 100 within about %(most)s.",
            half=half,
            most=most,
        )
    )


def quantile(took: Mapping[int, int], percent: int) -> int | None:
    """The seconds that so many percent stay within, to about 12 %; None of nothing."""
    rank, passed = ceil(sum(took.values()) * percent / 100), 0
    for seconds in sorted(took):
        passed += took[seconds]
        if passed >= rank:
            return seconds
    return None


def about(seconds: int) -> str:
    """A rough time in words: seconds up to two minutes, by fives; then whole minutes."""
    step = 1 if seconds < FEW else 5 if seconds < 120 else 60
    return phrases.duration(max(1, step * round(seconds / step)))


def of_ways(by_link: int, by_code: int) -> Finding:
    """The button or the code."""
    total = by_link + by_code
    if not total:
        return Finding(_("Neither the button nor a code was used."))
    if by_link >= by_code:
        return Finding(_("%(part)s pressed the button.", part=share(by_link, total)))
    return Finding(_("%(part)s typed the code.", part=share(by_code, total)))


def of_refused(run_out: int, wrong: int) -> Finding:
    """Why typed codes were refused."""
    total = run_out + wrong
    if not total:
        return Finding(_("No code was refused."))
    words = _("Refused because they had run out: %(late)s.", late=share(run_out, total))
    if total < FEW or run_out * 2 <= total:
        return Finding(words)
    return Finding(_("%(words)s Suggest the button in the email.", words=words), True)


def of_domains(domains: Sequence[Domain]) -> Finding:
    """The mail domain that stands out: its server takes less, or fewer of its people finish."""
    judged = [each for each in domains if each.asked >= FEW]
    if not judged:
        return Finding(_("Too few asked at any one mail domain to compare them."))
    refusing = _worst(judged, {each.name: each.accepted for each in judged})
    if refusing:
        part = share(refusing.accepted, refusing.asked)
        words = _(
            "Mail to %(domain)s stands out: accepted %(part)s. Look at deliveries.",
            domain=refusing.name,
            part=part,
        )
        return Finding(words, True)
    return _stopping(judged)


def _stopping(judged: Sequence[Domain]) -> Finding:
    worst = _worst(judged, {each.name: each.finished for each in judged})
    if worst is None:
        return Finding(_("No mail domain stands out."))
    part = share(worst.finished, worst.asked)
    words = _(
        "People at %(domain)s stand out: back in %(part)s. Their mail may lie in Spam.",
        domain=worst.name,
        part=part,
    )
    return Finding(words, True)


def _worst(domains: Sequence[Domain], came: Mapping[str, int]) -> Domain | None:
    """The one furthest below all together, if that is far."""
    asked = sum(each.asked for each in domains)
    usual = sum(came.values()) / asked
    worst = min(domains, key=lambda each: came[each.name] / each.asked)
    below = 100 * (usual - came[worst.name] / worst.asked)
    return worst if below >= FAR_BELOW else None


def of_days(chart: Bars) -> Finding:
    """How many there were, and the day that stands out."""
    total, peak = number(chart.total), chart.peak
    if chart.total < FEW:
        few = _("%(total)s in all.", total=total) if chart.total else _("None in these days.")
        return Finding(few)
    if peak is None:
        return Finding(_("%(total)s in all. No day stands out.", total=total))
    words = _(
        "%(count)s on %(day)s, more than twice as many as on a usual day. %(total)s in all.",
        count=peak.amount,
        day=peak.said,
        total=total,
    )
    return Finding(words, True)
