from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, PasswordField, StringField

from portal.core.forms import PortalForm


class SignUpForm(PortalForm):
    full_name = StringField(_l("Full name"))
    email = StringField(_l("Email address"))
    password = PasswordField(_l("Create a password"))
    confirm_password = PasswordField(_l("Password again"))


class SignInForm(PortalForm):
    email = StringField(_l("Email address"))
    password = PasswordField(_l("Password"))
    remember = BooleanField(_l("Keep me signed in on this device"))


class CodeForm(PortalForm):
    code = StringField(_l("6-digit code"))
