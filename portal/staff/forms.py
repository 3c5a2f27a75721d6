import re

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, SelectField, StringField

from portal.core.forms import PortalForm
from portal.staff import team

NUMBER = re.compile("[0-9]{1,18}")  # an id of a row
WAYS = [  # kept as they stand on the left, shown in the reader's language
    ("Called back on the number we hold", _l("Called back on the number we hold")),
    ("Answered from their work account", _l("Answered from their work account")),
    ("Showed identity in person", _l("Showed identity in person")),
    ("Did not call: found by us", _l("Did not call: found by us")),
]


class InviteForm(PortalForm):
    email = StringField(_l("Email address"))
    role = SelectField(_l("Role"), choices=team.staff_roles, validate_choice=False)


class RoleForm(PortalForm):
    role = SelectField(_l("Role"), choices=team.every_role, validate_choice=False)
    reason = StringField(_l("Reason"))
    ticket = StringField(_l("Ticket"))


class ActForm(PortalForm):
    """What is said with each act on a person; `act`: its name, with which the ids begin."""

    verified_by = SelectField(
        _l("How did you check who they are?"), choices=lambda: WAYS, validate_choice=False
    )
    reason = StringField(_l("Reason"))
    ticket = StringField(_l("Ticket number"))
    until = StringField(_l("Until"))
    seen = HiddenField()

    def __init__(self, act, **values):
        super().__init__(**values)
        for field in self:
            field.id = f"{act}-{field.short_name}"
        typed = self.verified_by.data
        if typed and typed not in dict(WAYS):
            self.verified_by.choices = [*WAYS, (typed, typed)]

    @property
    def has_slips(self):
        """Whether a field was refused."""
        return any(field.errors for field in self)

    @property
    def said(self):
        """How they were checked, why, on which ticket, and the newest act that the page knew of."""
        seen = self.seen.data or ""
        known = int(seen) if NUMBER.fullmatch(seen) else None
        return self.verified_by.data or "", self.reason.data or "", self.ticket.data or "", known


def act_forms(names, posted=None):
    """Empty forms for these acts, and among them the one that was sent, with what was typed.

    One that makes no sense any more is gone, but for what there is to mend in it.
    """
    empty = {name: ActForm.empty(name) for name in names}
    sent = (posted or {}).items()
    return empty | {name: form for name, form in sent if name in names or form.has_slips}
