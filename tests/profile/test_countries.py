"""Countries are those of ISO 3166, in the reader's words."""

import pytest
from babel import Locale

from portal.profile import countries


@pytest.fixture
def language(monkeypatch):
    def choose(code):
        monkeypatch.setattr(countries, "get_locale", lambda: code and Locale.parse(code))

    choose("en")
    return choose


def test_there_are_the_249_assigned_codes_and_no_other(language):
    # CLDR names these besides: reserved by ISO (AC ...), for private use (XA ...) or gone.
    besides = {
        "AC",
        "CP",
        "CQ",
        "DG",
        "EA",
        "EU",
        "EZ",
        "IC",
        "QO",
        "TA",
        "UN",
        "XA",
        "XB",
        "XK",
        "ZZ",
    }
    named = {code for code in Locale("en").territories if len(code) == 2 and code.isalpha()}
    assert len(countries.CODES) == 249
    assert named - besides == countries.CODES


@pytest.mark.parametrize("code", ["DE", "GB", "AX", "PS", "TW", "SS", "BQ"])
def test_assigned_codes_are_codes(code):
    assert countries.is_code(code)


@pytest.mark.parametrize("code", ["", "de", "UK", "EU", "XK", "DEU", "ZZ", "D", "DE ", "276", "AN"])
def test_anything_else_is_no_code(code):
    assert not countries.is_code(code)


def test_names_follow_the_language(language):
    assert countries.name("DE") == "Germany"
    assert dict(countries.choices())["CI"] == "Côte d’Ivoire"
    language("de")
    assert countries.name("DE") == "Deutschland"
    language("pt_BR")
    assert countries.name("DE") == "Alemanha"
    language(None)
    assert countries.name("DE") == "Germany"


@pytest.mark.parametrize("code", ["", "XK", "de", "nonsense"])
def test_what_is_no_code_has_no_name(language, code):
    assert countries.name(code) == ""


def test_every_country_can_be_chosen_by_a_name(language):
    for code in ("en", "de", "fr", "ar", "ja"):
        language(code)
        found = countries.choices()
        assert len(found) == 249
        assert all(name and name != code for code, name in found)


def test_the_order_forgets_accents_and_case(language):
    names = [name for _code, name in countries.choices()]
    assert names[0] == "Afghanistan"
    assert names[1] == "Åland Islands"
    assert names.index("Côte d’Ivoire") < names.index("Croatia") < names.index("Curaçao")
    language("de")
    names = [name for _code, name in countries.choices()]
    assert names.index("Ägypten") < names.index("Albanien")
    assert names.index("Oman") < names.index("Österreich") < names.index("Pakistan")


def test_whoever_changes_the_list_changes_a_copy(language):
    countries.choices().clear()
    assert len(countries.choices()) == 249
