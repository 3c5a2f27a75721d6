from flask_babel import lazy_gettext as _l
from wtforms import PasswordField

from portal.core.forms import PortalForm


class PasswordForm(PortalForm):
    old_password = PasswordField(_l("Current password"))
    password = PasswordField(_l("New password"))
    confirm_password = PasswordField(_l("New password again"))
