"""Countries: the official codes of ISO 3166-1 alpha-2, named in the reader's language."""

import unicodedata
from functools import cache

from babel import Locale
from flask_babel import get_locale

# Officially assigned: neither reserved codes (EU, UN) nor those for private use (XK).
_ASSIGNED = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
CODES = frozenset(_ASSIGNED.split())


def choices() -> list[tuple[str, str]]:
    """(code, name) of every country in the current language, in the order of the names."""
    return list(_sorted(_language()))


def is_code(code: str) -> bool:
    """Whether it is a code, in capitals as ISO 3166 writes them."""
    return code in CODES


def name(code: str) -> str:
    """The country's name in the current language; empty for what is no code."""
    return _names(_language()).get(code, "")


def _language() -> str:
    return str(get_locale() or "en")


@cache
def _names(language: str) -> dict[str, str]:
    territories = Locale.parse(language).territories
    return {code: territories.get(code, code) for code in CODES}


@cache
def _sorted(language: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(_names(language).items(), key=lambda country: _folded(country[1])))


def _folded(text: str) -> str:
    """Without case and accents: Åland stands among the As, Côte d'Ivoire among the Cs."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
