from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, PasswordField, StringField

from portal.core.forms import PortalForm


class PasswordForm(PortalForm):
    old_password = PasswordField(_l("Current password"))
    password = PasswordField(_l("New password"))
    confirm_password = PasswordField(_l("New password again"))


class CodedPasswordForm(PasswordForm):
    code = StringField(_l("6-digit code"))


class ConfirmForm(PortalForm):
    password = PasswordField(_l("Current password"))
    code = StringField(_l("Code from your app"))


class DeleteForm(PortalForm):
    password = PasswordField(_l("Current password"))


class PhoneForm(PortalForm):
    phone = StringField(_l("Phone number"))


class EmailForm(PortalForm):
    email = StringField(_l("New email address"))


class CodeForm(PortalForm):
    code = StringField(_l("6-digit code"))


class BackupForm(PortalForm):
    code = StringField(_l("Backup code"))


class ProofForm(PortalForm):
    password = PasswordField(_l("Current password"))
    code = StringField(_l("Code from your app, or a backup code"))


class KeptForm(PortalForm):
    kept = BooleanField(_l("I have kept these"))
