"""Messages on a developer's screen."""

import pytest

from portal.delivery import transports
from portal.delivery.outcomes import NotAccepted
from portal.delivery.parcels import EMAIL, SMS, Parcel

LETTER = Parcel("outbox-7", EMAIL, "ann@example.org", "Back in", "Your code:\n123456\n", "<p>x</p>")
MESSAGE = Parcel("outbox-8", SMS, "+4915112345678", "", "123456", None)


@pytest.fixture(params=["console", "django.core.mail.backends.console.EmailBackend"])
def console(request, make_app):
    with make_app(EMAIL_BACKEND=request.param).app_context():
        yield


@pytest.mark.usefixtures("console")
def test_a_message_is_printed_with_all_that_a_developer_needs(capsys):
    transports.send(LETTER)
    assert capsys.readouterr().out == (
        "--- email to ann@example.org\n\nBack in\n\nYour code:\n123456\n---\n"
    )
    transports.send(MESSAGE)
    assert capsys.readouterr().out == "--- sms to +4915112345678\n\n123456\n---\n"


@pytest.mark.usefixtures("console")
def test_a_message_to_nobody_is_not_printed(capsys):
    assert (transports.ask(EMAIL), transports.ask(SMS)) == (True, True)
    assert capsys.readouterr().out == ""


def test_a_gateway_is_used_all_the_same(make_app, capsys):
    app = make_app(EMAIL_BACKEND="console", SMS_URL="https://gateway.invalid/")
    with app.app_context(), pytest.raises(NotAccepted, match="unreachable"):
        transports.send(MESSAGE)
    assert capsys.readouterr().out == ""
