"""Helping a person."""

from flask import Blueprint, flash, redirect
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from portal.accounts import guards, roles
from portal.accounts.service import helping, looking, standing
from portal.codes import terms
from portal.recovery.service import support
from portal.security.service import clearing
from portal.staff import offers, person
from portal.staff.forms import ActForm, act_forms

PEOPLE, RECOVERY_LINK = "/admin/people", "/recover/link/{token}"

bp = Blueprint("desk_acts", __name__, url_prefix=PEOPLE)
bp.before_request(guards.of_desk)
bp.before_request(guards.having("people:read"))


@bp.post("/<uuid:uuid>/recovery")
def recovery(uuid):
    how = terms.desk(RECOVERY_LINK)
    return _act(
        uuid,
        "recovery",
        lambda whom, me, by, _until: support.start_for(whom, me, how, by),
        lambda whom, _done: _("Recovery email sent to %(address)s.", address=whom.email),
    )


@bp.post("/<uuid:uuid>/sign-out")
def sign_out(uuid):
    return _act(
        uuid,
        "sign-out",
        lambda whom, me, by, _until: helping.sign_out(whom, me, by),
        lambda whom, ended: _told(whom, _signed_out(ended)),
    )


@bp.post("/<uuid:uuid>/block")
def block(uuid):
    return _act(
        uuid,
        "block",
        standing.block,
        lambda whom, _done: _told(whom, _("The account is blocked and signed out everywhere.")),
    )


@bp.post("/<uuid:uuid>/unblock")
def unblock(uuid):
    return _act(
        uuid,
        "unblock",
        lambda whom, me, by, _until: standing.unblock(whom, me, by),
        lambda whom, _done: _told(whom, _("The account is unblocked.")),
    )


@bp.post("/<uuid:uuid>/clear-throttles")
def clear_throttles(uuid):
    return _act(
        uuid,
        "clear-throttles",
        lambda whom, me, by, _until: helping.clear_throttles(whom, me, by),
        lambda whom, _done: _told(whom, _("There is nothing to wait for any more.")),
    )


@bp.post("/<uuid:uuid>/resend-proof")
def resend_proof(uuid):
    return _act(
        uuid,
        "resend-proof",
        lambda whom, me, by, _until: helping.resend_proof(whom, me, by),
        lambda whom, _done: _("Confirmation email sent to %(address)s.", address=whom.email),
    )


@bp.post("/<uuid:uuid>/clear-factor")
def clear_factor(uuid):
    return _act(
        uuid,
        "clear-factor",
        lambda whom, me, by, _until: clearing.clear_factor(whom, me, by),
        lambda whom, _done: _told(whom, _("Two-step sign-in is off.")),
    )


def _act(uuid, name, do, words):
    """`do` tells the story to the person's page, `words` says of what came of it on the banner."""
    roles.check(current_user.person, offers.ACTS[name])
    form, whom = ActForm(name), person.of(uuid)
    if form.validate_on_submit():
        if name in offers.SENSITIVE and (stopped := guards.interrupted(f"{PEOPLE}/{uuid}")):
            return stopped
        with form.reporting():
            done = do(whom, current_user.person, guards.by_desk(*form.said), form.until.data)
            flash(words(whom, done), "ok")
            return redirect(f"{PEOPLE}/{uuid}", 303)
    return _page(whom, name, form)


def _page(whom, name, form):
    """The page as it is by now, the refused form open on it; that is looking too."""
    now, me = person.of(whom.uuid), current_user.person
    looking.opened(now, me, guards.by_desk("", "", ""))
    facts = person.facts(now, me)
    forms = act_forms(facts["offered"], {name: form})
    return form.page("staff/person.html", forms=forms, **facts)


def _signed_out(ended):
    if not ended:
        return _("The sign-in that waited for its second step is over.")
    return ngettext("Signed out %(num)d device.", "Signed out %(num)d devices.", ended)


def _told(whom, words):
    """Nobody writes to an address that nobody has confirmed."""
    if whom.email_proven_at is None:
        return words
    first = next(iter(whom.full_name.split()), whom.email)
    return _("%(words)s %(name)s gets an email about it.", words=words, name=first)
