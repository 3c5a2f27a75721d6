"""What is a phone number, to which SMS are sent, and how one is shown."""

import pytest

from portal.accounts import phones
from portal.core.errors import Rejected
from portal.core.settings import Refused

NUMBER = "+447400123456"

FORMAT = "Enter a phone number with its country code, like +44 7700 900123"
COUNTRY = "We cannot send messages to numbers of that country yet. Use another number."
KIND = "Enter the number of a mobile phone. This one does not take text messages."


@pytest.fixture
def inside(app):
    """Words are translated inside a request."""
    with app.test_request_context("/"):
        yield


@pytest.fixture
def at_home(make_app):
    """Numbers of one country alone."""
    with make_app(SMS_COUNTRIES="GB").test_request_context("/"):
        yield


def refusal(typed):
    with pytest.raises(Rejected) as refused:
        phones.number(typed)
    assert refused.value.field == "phone"
    return refused.value.message


@pytest.mark.parametrize("typed", [
    "+447400123456", "+44 7400 123456", " +44-7400-123.456 ", "(+44) 7400/123456",
    "+44 (0)7400 123456", "0044 7400 123456", "00447400123456", "+44\u00a07400\u2011123456",
    "\u202a+44 7400 123456\u202c", "+44 7400\u200b123456",
])  # fmt: skip
def test_one_number_is_one_number_however_it_is_typed(inside, typed):
    assert phones.number(typed) == NUMBER


@pytest.mark.parametrize("typed", [
    "\uff0b\uff14\uff14\uff17\uff14\uff10\uff10\uff11\uff12\uff13\uff14\uff15\uff16",
    "+\u0664\u0664 \u0667\u0664\u0660\u0660 \u0661\u0662\u0663\u0664\u0665\u0666",
    "+\u096a\u096a7400123456",
])  # fmt: skip
def test_digits_of_any_script_are_digits(inside, typed):
    assert phones.number(typed) == NUMBER


@pytest.mark.parametrize("typed", ["+1 202 555 0123", "+49 151 23456789", "+81 90 1234 5678"])
def test_numbers_of_other_countries_on_the_list_are_taken(inside, typed):
    assert phones.number(typed) == typed.replace(" ", "")


@pytest.mark.parametrize("typed", [None, "", "   ", "\u202a\u202c"])
def test_nothing_typed_is_said(inside, typed):
    assert refusal(typed) == "Enter your phone number"


@pytest.mark.parametrize("typed", [
    "07400 123456", "7400123456", "1-800-FLOWERS", "+1 800 FLOWERS", "+44 7400 12345²",
    "+44 7400 123456 ext 5", "+44 7400 123456;isub=3", "tel:+447400123456", "+447400123456,1",
    "++447400123456", "+44+7400123456", "+", "0", "00", "+44", "+0", "12345", "+44740012345",
    "+4474001234567", "+999 123456789", "+44\x007400123456", "+44\n7400123456", "+44\t7400123456",
    "\ud800", "ann", "ann@example.org", "9" * 10_000, "+" * 10_000, "\u200b" * 48 + NUMBER + "99",
    "+44 7400 123456 +44 7400 123457", "<b>+447400123456", "+447400123456' OR 1=1",
])  # fmt: skip
def test_what_is_no_number_is_refused_in_clear_words(inside, typed):
    assert refusal(typed) == FORMAT


@pytest.mark.parametrize("typed", [
    "+7 912 345-67-89", "+880 1812 345678", "+1 876 555 1234", "+1 809 234 5678",
    "+870 301 234567", "+882 16 12345678",
])  # fmt: skip
def test_only_countries_on_the_list_are_written_to(inside, typed):
    """The islands of the Caribbean share the code of countries on it."""
    assert refusal(typed) in (COUNTRY, FORMAT)


@pytest.mark.parametrize("typed", [
    "+44 20 7946 0000", "+49 30 123456", "+44 909 8790000", "+44 843 8790000", "+1 900 234 5678",
    "+1 800 356 9377", "+44 70 1234 5678", "+33 1 23 45 67 89", "+44 76 4012 3456",
])  # fmt: skip
def test_only_mobile_phones_are_written_to(inside, typed):
    """Fixed lines, premium rate, shared cost, free of charge, personal numbers, pagers."""
    assert refusal(typed) == KIND


@pytest.mark.parametrize(
    "typed", ["07400 123456", "(07400) 123-456", "+447400123456", "00447400123456"]
)
def test_where_there_is_one_country_its_code_may_be_left_out(at_home, typed):
    assert phones.number(typed) == NUMBER


@pytest.mark.parametrize("typed", ["+49 151 23456789", "0049 151 23456789"])
def test_where_there_is_one_country_the_others_are_refused(at_home, typed):
    assert refusal(typed) == COUNTRY


def test_two_noughts_are_a_plus_only_where_that_is_clear(make_app):
    """In Japan 010 leads abroad; 0044 is the number of a telephone company there."""
    with make_app(SMS_COUNTRIES="JP").test_request_context("/"):
        assert refusal("0044 7400 123456") == FORMAT
        assert phones.number("090 1234 5678") == "+819012345678"


@pytest.mark.parametrize("typed, meant", [
    ("+44 7400 123456", True), (" 07400", True), ("(0", True), ("1-800-FLOWERS", True),
    ("\uff0b\uff14\uff14", True), ("\u202a+44", True), ("ann@example.org", False),
    ("+447400@example.org", False), ("ann", False), ("sven2000", False), ("", False),
    (None, False), ("@", False), ("+", False), ("\0", False), ("x" * 10_000, False),
])  # fmt: skip
def test_it_is_clear_whether_a_number_or_an_address_is_meant(inside, typed, meant):
    assert phones.looks_like_one(typed) is meant


def test_its_owner_reads_all_of_it_and_others_its_end(inside):
    assert phones.shown(NUMBER) == "+44 7400 123456"
    assert phones.masked(NUMBER) == "+44 …456"
    assert phones.masked("+447700900123") == "+44 …123"
    assert phones.masked("+12025550123") == "+1 …123"


def test_the_portal_does_not_start_with_a_country_that_is_none(make_app):
    with pytest.raises(Refused, match="SMS_COUNTRIES: UK is no country"):
        make_app(SMS_COUNTRIES="GB,UK")
