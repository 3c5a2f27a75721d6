"""Words of refusals that no story chose."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.errors import Rejected

OF_STATUS = {
    400: _l("This request cannot be understood."),
    401: _l("Sign in first."),
    403: _l("This is not allowed."),
    404: _l("There is nothing here."),
    405: _l("This method cannot be used here."),
    408: _l("The request took too long to arrive."),
    413: _l("This is too big."),
    415: _l("This kind of content cannot be read here."),
    422: _l("Some of what was sent cannot be accepted."),
    429: _l("There were too many requests. Wait, and try again."),
    500: _l("Something went wrong here."),
    503: _l("This cannot be done at the moment. Try again in a minute."),
}


def of_status(status: int) -> str:
    """What a status means, in our words."""
    return str(OF_STATUS.get(status, OF_STATUS[400]))


def several(found: Sequence[Rejected]) -> str:
    """One sentence for all that was refused; "" where nothing was."""
    if len(found) == 1:
        return found[0].message
    return _("Some of what was sent cannot be accepted.") if found else ""
