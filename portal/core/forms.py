"""What every form can do: read safely, report what a story refused, show itself again."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self, cast

from flask import render_template, request
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from flask_wtf.form import _Auto
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from wtforms import FileField

from portal.core import clock, shapes, web
from portal.core.errors import KeptOut, PortalError, Rejected, Several, TooSoon
from portal.core.settings import setting
from portal.core.unsent import Unsent, pattern


class PortalForm(FlaskForm):
    """Reads one form.  The rules are the stories'; only the CSRF token is judged here."""

    body_setting: ClassVar[str] = "BODY_MAX_BYTES"

    class Meta(FlaskForm.Meta):
        @property
        def csrf(self) -> bool:
            """Judged where something was sent; pages get their token by themselves."""
            return request.method == "POST"

        def wrap_formdata(self, form: PortalForm, formdata: Any) -> Any:
            if formdata is _Auto:
                return form.read_request() if request.method == "POST" else None
            return formdata

    def __init__(self, *args: Any, **values: Any) -> None:
        self.refusal, self.retry_after = 0, 0
        super().__init__(*args, **values)

    @classmethod
    def read(cls, *args: str) -> Self:
        """What was sent, or the form as nobody has sent it yet, of which a page needs less."""
        return cls(*args) if request.method == "POST" else cast(Self, cls.empty(*args))

    @classmethod
    def empty(cls, *args: str, **values: Any) -> Unsent:
        """The form as nobody has sent it yet, with these values in its fields."""
        return Unsent(pattern(cast(Hashable, cls), args), values)

    def read_request(self) -> Any:
        """The typed values; none, and a refusal, for too many bytes or fields."""
        request.max_content_length = setting(self.body_setting)
        try:
            if sum(1 for _each in request.form.items(multi=True)) <= setting("BODY_MAX_FIELDS"):
                return CombinedMultiDict([self._files(), request.form])
        except RequestEntityTooLarge:
            pass
        self.refusal = 413
        return None

    def _files(self) -> MultiDict[str, Any]:
        """The files of file fields; sent in the place of a text a file is as good as nothing."""
        sent = request.files.items(multi=True)
        return MultiDict(
            (name, file) for name, file in sent if isinstance(self._fields.get(name), FileField)
        )

    def validate(self, extra_validators: Any = None) -> bool:
        """True when the form is ours, fresh and small enough to be read."""
        if self.refusal:
            self.too_large()
            return False
        if not web.same_origin() or not super().validate(extra_validators):
            self.refusal = 400
            for field in self:
                field.errors = []
            self.form_errors = [
                _("You were away for a while. Check what you typed and press the button again.")
            ]
            return False
        return True

    def too_large(self) -> None:
        """Says so in the words of this form."""
        self.form_errors = [_("What you sent is too big. Shorten it and try again.")]

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Puts what a story refuses beside its field, instead of letting it through."""
        try:
            yield
        except KeptOut:
            raise
        except Several as refused:
            for each in refused.all:
                self.refuse(each)
        except (Rejected, TooSoon) as refused:
            self.refuse(refused)

    def refuse(self, why: PortalError) -> None:
        """Shows one refusal beside its field, or above the form when it belongs to none."""
        self.refusal = shapes.status_of(why)
        if isinstance(why, TooSoon):
            self.retry_after = max(1, clock.seconds_until(why.retry_at))
        field = getattr(why, "field", None)
        if field in self:
            self[field].errors = [*self[field].errors, why.message]
        else:
            self.form_errors = [*self.form_errors, why.message]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """(id of the field or "", words), in the order of the page."""
        beside = [(field.id, str(error)) for field in self for error in field.errors]
        return [("", str(error)) for error in self.form_errors] + beside

    def page(self, template: str, **values: Any) -> tuple[str, int, dict[str, str]]:
        """This form's page with its status: 200, or what the refusal says."""
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else {}
        return render_template(template, form=self, **values), self.refusal or 200, headers
