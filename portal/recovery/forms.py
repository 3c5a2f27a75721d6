from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, StringField

from portal.core.forms import PortalForm


class StartForm(PortalForm):
    identifier = StringField(_l("Email address"))


class EitherForm(PortalForm):
    identifier = StringField(_l("Email address or phone number"))


class CodeForm(PortalForm):
    code = StringField(_l("6-digit code"))


class NewPasswordForm(PortalForm):
    password = PasswordField(_l("New password"))
    confirm_password = PasswordField(_l("New password again"))


class LinkForm(PortalForm):
    action = StringField()
