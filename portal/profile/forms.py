from flask import request
from flask_babel import lazy_gettext as _l
from wtforms import FileField, HiddenField, SelectField, StringField, TextAreaField

from portal.core.errors import Rejected
from portal.core.forms import PortalForm
from portal.core.settings import setting
from portal.profile import attributes, countries, pictures


class SectionForm(PortalForm):
    """A section of the profile: its fields are called like the attributes."""

    def typed(self):
        """What was typed, by attribute."""
        return {field.name: field.data for field in self if field.name != "csrf_token"}


class NameForm(SectionForm):
    full_name = StringField(_l("Full name"))
    username = StringField(_l("Username"))


class WorkForm(SectionForm):
    job_title = StringField(_l("Job title"))
    organisation = StringField(_l("Organisation"))


class LocationForm(SectionForm):
    city = StringField(_l("Town or city"))
    country = SelectField(_l("Country"), choices=countries.choices, validate_choice=False)


class SocialLinksForm(SectionForm):
    """All links are one attribute; here each has a field of its own."""

    website = StringField(_l("Website"))
    github = StringField("GitHub")
    gitlab = StringField("GitLab")
    linkedin = StringField("LinkedIn")
    x = StringField("X")
    mastodon = StringField("Mastodon")
    instagram = StringField("Instagram")
    youtube = StringField("YouTube")

    def typed(self):
        """All of them, in one attribute."""
        return {attributes.LINKS: super().typed()}

    def refuse(self, why):
        """Shows it beside the field of its platform."""
        if isinstance(why, Rejected) and why.field:
            why.field = why.field.removeprefix(f"{attributes.LINKS}.")
        super().refuse(why)


class BioForm(SectionForm):
    bio = TextAreaField(_l("Short biography"))


class PictureForm(PortalForm):
    body_setting = "PICTURE_BODY_MAX_BYTES"
    picture = FileField(_l("Choose a picture"))
    crop = HiddenField()

    def too_large(self):
        """The same words whether the file or the whole request was too big."""
        self.refuse(pictures.too_large(request.content_length or setting(self.body_setting)))

    def sent(self):
        """The picture's bytes; none when no file was chosen."""
        return self.picture.data.read() if hasattr(self.picture.data, "read") else b""
