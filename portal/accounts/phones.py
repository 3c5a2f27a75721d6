"""Phone numbers: what is one, and to which we send SMS.  Sole owner of phonenumbers."""

import re
import unicodedata

import phonenumbers
from flask_babel import gettext as _
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from portal.core.errors import Rejected
from portal.core.settings import Refused, setting
from portal.delivery import transports
from portal.delivery.parcels import SMS

LONGEST_TYPED = 60  # a number with every sign that people put between its digits
BETWEEN = re.compile(r"[ ().\-/\u2010-\u2015\u2212]")
START = re.compile(r"[\s(]*\+?[ (]*[0-9]")
MOBILE = PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE
PLUS = {"\uff0b": "+", "\ufe62": "+"}  # full and small width
FEWEST_DIGITS = 5  # by which a number is looked for
LAST_DIGITS = 3  # that a masked number shows


def offered() -> bool:
    """Whether SMS can be sent with these settings."""
    return transports.offers(SMS)


def check_countries() -> None:
    """Raises Refused for what is no country: its numbers would be refused without a reason."""
    odd = [each for each in setting("SMS_COUNTRIES") if each not in phonenumbers.SUPPORTED_REGIONS]
    if odd:
        raise Refused(f"SMS_COUNTRIES: {odd[0]} is no country. Give ISO 3166 codes like GB,IE.")


def looks_like_one(typed: str | None) -> bool:
    """Whether a number is meant rather than an email address."""
    text = typed or ""
    return "@" not in text and START.match(_plain(text[:LONGEST_TYPED])) is not None


def number(typed: str | None, field: str = "phone") -> str:
    """The number as it is kept (E.164): of a mobile phone in one of SMS_COUNTRIES.

    Digits of any script are taken, signs between them are not looked at.  Raises Rejected.
    """
    text = (typed or "").strip()
    digits = BETWEEN.sub("", _plain(text[:LONGEST_TYPED]))
    if not digits:
        raise Rejected(field, "empty", _("Enter your phone number"))
    found = _parsed(digits) if len(text) <= LONGEST_TYPED else None
    if found is None or not phonenumbers.is_valid_number(found):
        words = _("Enter a phone number with its country code, like +44 7700 900123")
        raise Rejected(field, "format", words)
    _check_reach(found, field)
    return phonenumbers.format_number(found, PhoneNumberFormat.E164)


def meant(typed: str) -> list[str]:
    """How the numbers (E.164) begin that this may be, or be the beginning of; none if it is short.

    Without a country code it may be a number of any of SMS_COUNTRIES.
    """
    digits = re.sub("^00", "+", BETWEEN.sub("", _plain(typed[:LONGEST_TYPED])))
    if not re.fullmatch(rf"\+?[0-9]{{{FEWEST_DIGITS},}}", digits):
        return []
    homes = [None] if digits.startswith("+") else setting("SMS_COUNTRIES")
    read = [each for home in homes for each in _e164(digits, home)]
    return list(dict.fromkeys(["+" + digits.lstrip("+"), *read]))


def _e164(digits: str, home: str | None) -> list[str]:
    """As a whole number, and as the beginning of one, which no numbering plan knows."""
    begun = _begun(digits, home) if home else []
    try:
        found = phonenumbers.parse(digits, home)
    except phonenumbers.NumberParseException:
        return begun
    return [phonenumbers.format_number(found, PhoneNumberFormat.E164), *begun]


def _begun(digits: str, home: str) -> list[str]:
    return [f"+{phonenumbers.country_code_for_region(home)}{digits.removeprefix('0')}"]


def shown(kept: str) -> str:
    """The number as its owner reads it: "+44 7700 900123"."""
    return phonenumbers.format_number(phonenumbers.parse(kept), PhoneNumberFormat.INTERNATIONAL)


def masked(kept: str) -> str:
    """The number as others may see it: "+44 …123"."""
    return f"+{phonenumbers.parse(kept).country_code} …{kept[-LAST_DIGITS:]}"


def key(kept: str) -> str:
    """What wishes and counts know a number by; no address has such a key."""
    return f"phone {kept}"


def own_key(kept: str, person_id: int) -> str:
    """What the wish to add a number is known by: others may wish for the same one meanwhile."""
    return f"person {person_id} {key(kept)}"


def _check_reach(found: PhoneNumber, field: str) -> None:
    """Numbers that cost whoever writes to them are what SMS fraud is made of.  Raises Rejected."""
    if phonenumbers.region_code_for_number(found) not in setting("SMS_COUNTRIES"):
        words = _("We cannot send messages to numbers of that country yet. Use another number.")
        raise Rejected(field, "country", words)
    if phonenumbers.number_type(found) not in MOBILE:
        words = _("Enter the number of a mobile phone. This one does not take text messages.")
        raise Rejected(field, "kind", words)


def _parsed(digits: str) -> PhoneNumber | None:
    """Without a country code it is clear only where all numbers are of one country."""
    countries = setting("SMS_COUNTRIES")
    home = countries[0] if len(countries) == 1 else None
    if home is None and digits.startswith("00"):
        digits = "+" + digits[2:]
    if not re.fullmatch(r"\+?[0-9]+", digits):
        return None
    try:
        return phonenumbers.parse(digits, home)
    except phonenumbers.NumberParseException:
        return None


def _plain(text: str) -> str:
    """Digits, plus and space in ASCII, without the unseen marks around a copied number."""
    return "".join(_ascii(char) for char in text)


def _ascii(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return {"Cf": "", "Zs": " "}.get(unicodedata.category(char), PLUS.get(char, char))
