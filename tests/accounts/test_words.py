import hashlib
import string
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from portal.accounts import lexicon
from portal.accounts.lexicon import FOLDER, Lexicon, digest, fold, listed, skeleton, spells
from portal.accounts.words import common, judge, personal, tokens
from tools import build_wordlists

LEET = "4@8({[<369!1|0$5+7%2"
SANA = tokens("Sana Khan", "sana.khan85", "s.khan@example.org", "Latchkey")


def drawn(seed: str, stock: Sequence[str], count: int) -> list[str]:
    """Chance that is the same in every run."""
    raw = hashlib.shake_256(seed.encode()).digest(2 * count)
    picks = (int.from_bytes(raw[at : at + 2], "big") for at in range(0, 2 * count, 2))
    return [stock[pick % len(stock)] for pick in picks]


ON_THE_LIST = [
    "Password1!", "P@ssw0rd123", "P@$$w0rd1", "Passw0rd!", "Drowssap1!", "Iloveyou123!",
    "I love you 123!", "p.a.s.s.w.o.r.d-1A", "qwertyuiop1A!", "Qwerty123!", "1qaz2wsx!QAZ",
    "Abcd1234!", "Aa123456!", "Admin123!", "Trustno1!", "Test1234!", "Q1w2e3r4!", "Zxcvbn2026!",
    "Password1Password1!", "Pässword1!", "Ｐａｓｓｗｏｒｄ１！",
]  # fmt: skip
ONE_WORD = [
    "Summer2026!", "$ummer2026!", "5ummer2026!", "2026Summer!", "!!Summer!!77", "Remmus2026!",
    "Lantern7xLantern7x!", "Manchester2026!", "Charlotte99!", "Ettolrahc99!", "Smith1985!",
    "W1ll1am2026!", "W1||iam2026!", "He77o2026!", "Lantern-4xQz7!",
    "Summer2026£", "Dragon🔥2026", "October#2031",
]  # fmt: skip
FINE = [
    "copper lantern tuesday", "gravel stoop unbutton peddling cuddle",
    "Gravel-stoop-unbutton-peddling-cuddle", "cobalt9 Ferry mosaic? trumpet.",
    "xkT9#vLq2w!Zp", "zG7-pQ2-mW9-xL4", "aB3$xY9!kQ", "qpwoxkcnvmqzjdhfgtyr",
    "95731846205718394620", "!@#)^%&*(_-+=]{[};<:,.>?", "🐙🦑🎸🌵🚲🧀🛶🎻", "🍎 river 🎸 moon 🚀",
    "мой дядя самых честных правил", "春はあけぼの やうやう白く", "나는 고양이를 좋아해요",
    "שלום עולם יפה מאוד", "यह एक लंबा वाक्य है", "Öl für zwölf müde Bären",
]  # fmt: skip
TOP = [
    "password", "qwerty", "iloveyou", "dragon", "monkey", "football", "superman", "letmein",
    "sunshine", "princess", "welcome", "charlie", "liverpool", "michael", "starwars",
]  # fmt: skip


@pytest.mark.parametrize("password", ON_THE_LIST)
def test_a_leaked_password_in_any_dress_is_refused_as_leaked(password: str) -> None:
    assert common(password) == "leaked"


@pytest.mark.parametrize("password", ONE_WORD)
def test_one_word_or_name_with_trimmings_is_refused_as_a_word(password: str) -> None:
    assert common(password) == "word"


@pytest.mark.parametrize("dress", ["{}1A!", "{}2026!", "#1{}?", "{}123$", "{}!{}!1"])
@pytest.mark.parametrize("word", TOP)
def test_a_top_password_that_satisfies_length_and_classes_is_refused(word: str, dress: str) -> None:
    assert common(dress.replace("{}", word.title())) in ("leaked", "word")


@pytest.mark.parametrize("password", FINE)
def test_passphrases_random_strings_and_other_scripts_are_accepted(password: str) -> None:
    assert judge(password, SANA) is None


def test_composed_and_decomposed_letters_are_judged_alike() -> None:
    assert common("Che\u0301rie2026!") == common("Ch\u00e9rie2026!") == "word"
    assert personal("xxMu\u0308llerxx27", tokens("M\u00fcller")) == "personal"


def test_a_word_that_is_less_than_half_is_accepted() -> None:
    assert common("lanternqzxkvbw") == "word"
    assert common("lanternqzxkvbwy") is None


def test_digits_and_signs_between_letters_do_count_towards_the_half() -> None:
    assert common("lantern" + "90412756#") == "word"
    assert common("lantern" + "90412756#" + "q") is None


def test_words_of_three_letters_do_not_refuse() -> None:
    assert common("cat84#62$9517") is None
    assert common("Dog!59274081") is None


def test_almost_no_random_password_of_14_characters_is_refused() -> None:
    signs = string.ascii_letters + string.digits + string.punctuation
    made = ["".join(drawn(f"random {n}", signs, 14)) for n in range(1000)]
    assert sum(judge(password, SANA) is not None for password in made) <= 10


def test_no_passphrase_of_five_common_words_is_refused() -> None:
    stock = ["anvil", "bishop", "copper", "dune", "ember", "fable", "glacier", "hamlet", "indigo"]
    for sign in (" ", "-", "."):
        for n in range(100):
            words = drawn(f"phrase {n}", stock, 5)
            assert judge(sign.join(words), SANA) is None, words


def test_emoji_count_as_letters_and_currency_as_signs() -> None:
    assert common("🦊🎻🌵🚲🐙lamp🧀🛶🎸") is None
    assert common("lamp£2£3£8£4") == "word"


def test_signs_that_can_be_read_as_a_short_word_are_no_word() -> None:
    assert common("777p)zNk") is None
    assert common("833713.q") is None


def test_a_word_that_ends_in_leet_is_measured_against_all_that_it_spans() -> None:
    assert common("qkzxvqkzxm15713703") == "word"
    assert common("qkzxvqkzxvm15713703") is None


@pytest.mark.parametrize("name", ["Yarbrough", "Caudill", "Stallings", "Jaramillo"])
def test_a_name_that_is_no_dictionary_word_is_refused(name: str) -> None:
    assert common(f"{name}2026!") == "word"


@pytest.mark.parametrize("password", ["D3s2a1!!", "4c3b2a1!!", "28.hf28!", "sep-95!!"])
def test_a_leaked_password_is_read_backwards_and_with_its_own_signs(password: str) -> None:
    assert common(password) == "leaked"


@pytest.mark.parametrize("password", [
    "xxSanaxx27#", "xxANASxx27#", "q5an4vbz!9", "q$@n@vbz!9", "Zq9!nahkbvx", "Khan85-vbqz",
    "Welcome2Latchkey?", "l4tchk3y-vbqz", "yekhctal-vbqz", "KH@N qzvx wbj",
    "vq-S.a.n.a.K.h.a.n-85", "vq S A N A K H A N zb",
])  # fmt: skip
def test_ones_own_words_are_refused_reversed_in_leet_and_with_digits(password: str) -> None:
    assert personal(password, SANA) == "personal"


def test_short_names_do_not_arise_where_two_words_meet() -> None:
    assert personal("plan never copper", tokens("Ann")) is None
    assert personal("planning copper", tokens("Ann")) == "personal"


@pytest.mark.parametrize("name", ["Müller", "Mueller", "Muller"])
@pytest.mark.parametrize("typed", ["Müller", "mULLER", "relluM", "mu11er"])
def test_umlauts_are_one_name_however_written(name: str, typed: str) -> None:
    assert personal(f"qz-{typed}-vbx74", tokens(name)) == "personal"


@pytest.mark.parametrize("typed", ["Müller", "Mueller", "relleum"])
def test_an_umlaut_written_as_two_letters_is_the_same_name(typed: str) -> None:
    assert personal(f"qz-{typed}-vbx74", tokens("Müller")) == "personal"
    assert personal(f"qz-{typed}-vbx74", tokens("Mueller")) == "personal"
    assert personal("qz-Bös-vbx74", tokens("Boes")) == "personal"


@pytest.mark.parametrize(
    "typed", ["qzAnnevb74x!", "qzMARIEvb74x!", "qzanne-marievb74", "eiramenna"]
)
def test_each_part_of_a_hyphenated_name_is_refused(typed: str) -> None:
    assert personal(typed, tokens("Anne-Marie")) == "personal"


def test_names_in_other_scripts_are_refused_too() -> None:
    assert personal("xq МАРИЯ vz 47", tokens("Мария Иванова")) == "personal"
    assert personal("xq яирам vz 47", tokens("Мария Иванова")) == "personal"


def test_tokens_of_one_or_two_letters_refuse_nothing() -> None:
    short = tokens("Jo Li", "j.l@example.org", "x1")
    assert short == frozenset()
    assert personal("jolly live axolotl x1 li", short) is None


def test_tokens_are_the_words_of_names_and_of_local_parts() -> None:
    assert tokens("Sana Khan") == {"sana", "khan", "sanakhan"}
    assert tokens("sana.khan@mail.example") == {"sana", "khan", "sanakhan"}
    assert tokens("Anne-Marie") == {"anne", "marie", "annemarie"}
    assert tokens("Müller") == {"muller", "mueller"}
    assert {"sana1985", "sana"} <= tokens("sana1985")
    assert tokens("j1985") == {"j1985"}
    assert tokens("1985", "", "@") == frozenset()


def test_i_and_l_are_not_taken_for_each_other_in_a_name() -> None:
    assert personal("football copper moss", tokens("Ali")) is None
    assert personal("qzxv-al1-wbkm", tokens("Ali")) == "personal"


def test_plain_texts_serve_as_own_words_too() -> None:
    assert personal("xxSanaxx27#", ["Sana Khan"]) == "personal"


def test_the_minimum_score_decides_what_is_weak() -> None:
    assert personal("vexqu7kz", []) is None
    assert personal("vexqu7kz", [], minimum=3) == "weak"
    assert personal("abcabcabc", []) == "weak"
    assert personal("abcabcabc", [], minimum=0) is None


@pytest.mark.parametrize(
    "password", ["aaaaaaaaaaaa", "aA1!" * 32, "a1!" * 42, "kw9#u" * 25, "7" * 128, "💥" * 128, ""]
)
def test_repetition_is_weak_however_long(password: str) -> None:
    assert personal(password, SANA) == "weak"


def test_a_strong_ending_after_a_long_weak_start_is_not_weak() -> None:
    assert personal("a" * 24 + "xkT9#vLq2w!Zp", SANA) is None


def test_own_words_come_before_lists_and_lists_before_weakness() -> None:
    assert judge("Password1!", tokens("Ann Password")) == "personal"
    assert judge("Password1!", SANA) == "leaked"
    assert judge("Summer2026!", SANA) == "word"
    assert judge("abxabxabxabx", SANA) == "weak"


def hostile() -> list[str]:
    leet = ["".join(drawn(f"leet {n}", LEET, 128)) for n in range(6)]
    framed = [text[:60] + "qkjzxv" * 4 + text[:44] for text in leet]
    single = [text[:63] + "a" + text[:64] for text in leet]
    odd = ["⑽" * 128, "ﷺ" * 128, "\ud800" * 128, "\0" * 128, "a\u0300" * 64, "s4n" * 42]
    return [*leet, *framed, *single, *odd, "1" * 63 + "a" + "7" * 64, "Ⅷ" * 128]


def test_no_password_of_128_characters_raises() -> None:
    for password in hostile():
        verdict = judge(password, SANA)
        assert verdict in (None, "personal", "leaked", "word", "weak"), ascii(password)


def test_the_lists_are_as_large_as_promised() -> None:
    assert len(listed("leaked")) >= 400_000
    assert len(listed("words")) >= 20_000
    assert len(listed("names")) >= 5_000
    assert sum(path.stat().st_size for path in FOLDER.glob("*.bin")) < 5_000_000


@pytest.mark.parametrize("name", ["leaked", "words", "names"])
def test_the_readme_states_the_count_and_digest_of_each_list(name: str) -> None:
    data = (FOLDER / f"{name}.bin").read_bytes()
    row = next(
        line
        for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| `{name}.bin`")
    )
    cells = [cell.strip(" `") for cell in row.split("|")]
    assert cells[3:6] == [
        str(len(listed(name))), str(len(data)), hashlib.sha256(data).hexdigest()
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["leaked", "words", "names"])
def test_every_entry_of_a_shipped_list_is_found_in_it(name: str) -> None:
    data = (FOLDER / f"{name}.bin").read_bytes()
    numbers = struct.unpack(f"<{len(data) // 4}I", data)
    starts = numbers[2 : 2 + lexicon.BUCKETS + 1]
    rests = numbers[2 + lexicon.BUCKETS + 1 :]
    assert starts[0] == 0
    assert starts[-1] == len(rests) == len(listed(name))
    for bucket in range(0, lexicon.BUCKETS, 97):
        kept = rests[starts[bucket] : starts[bucket + 1]]
        assert list(kept) == sorted(set(kept))
        assert all((bucket << 32) + rest in listed(name) for rest in kept)


def test_what_is_not_on_a_list_is_not_found() -> None:
    for name in ("leaked", "words", "names"):
        assert not any(digest(f"not listed {n}") in listed(name) for n in range(2000))


@pytest.mark.parametrize("name,sample", [
    ("leaked", ["P@ssw0rd", "iloveyou", "12345678", "Trustno1", "1qaz2wsx"]),
    ("words", ["summer", "welcome", "lantern", "unbutton"]),
    ("names", ["charlotte", "smith", "khan", "garcia"]),
])  # fmt: skip
def test_the_shipped_lists_hold_what_the_tool_makes(
    name: str, sample: list[str], tmp_path: Path
) -> None:
    make = build_wordlists.passwords(sample)
    forms = list(make if name == "leaked" else build_wordlists.words(sample, 100))
    assert len(forms) == len(sample)
    path = tmp_path / "small.bin"
    path.write_bytes(build_wordlists.pack(forms))
    assert len(Lexicon(path)) == len(sample)
    assert all(digest(form) in Lexicon(path) and digest(form) in listed(name) for form in forms)
    assert digest(skeleton("something else")) not in Lexicon(path)


def test_the_tool_lays_out_magic_count_buckets_and_sorted_rests() -> None:
    one, two = sorted([digest("password"), digest("dragon")])
    data = build_wordlists.pack(["dragon", "password", "dragon"])
    numbers = struct.unpack(f"<{len(data) // 4}I", data)
    assert numbers[:2] == (lexicon.MAGIC, 2)
    assert numbers[-2:] == (one % 2**32, two % 2**32)
    assert numbers[2 + (one >> 32) : 4 + (one >> 32)] == (0, 1)


def test_the_tool_leaves_out_short_rare_and_foreign_words() -> None:
    assert list(build_wordlists.words(["cat", "moon", "l'eau", "naïve", "x" * 25], 9)) == [
        "moon", "naive"
    ]  # fmt: skip
    assert list(build_wordlists.words(["summer", "moon"], 1)) == ["summer"]
    assert list(build_wordlists.passwords(["abc", "Pa55\r", ""])) == ["pass"]


def test_a_file_that_is_no_list_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.bin"
    data = build_wordlists.pack(["password"])
    for broken in (b"NONE" + data[4:], data[:-4], data + b"\0\0\0\0"):
        wrong.write_bytes(broken)
        with pytest.raises(ValueError, match=r"wrong\.bin"):
            Lexicon(wrong)


def test_folding_takes_case_accents_and_width_away() -> None:
    assert fold("Ｍüller ÅSE Straße Łódź") == "muller ase strasse lodz"
    assert fold("Müller Åse", expand=True) == "mueller aase"
    assert fold("ﷺ" * 128) == fold("ﷺ" * 128)[: lexicon.FOLDED_MAX]
    assert fold("℡") == "tel"
    assert skeleton("p@5$w0rd") == "password"
    assert skeleton("bill") == skeleton("b1|!")


def test_one_may_spell_i_or_l_but_i_never_spells_l() -> None:
    assert spells("b1ll", "bill")
    assert spells("al1", "ali")
    assert not spells("all", "ali")
    assert spells("sana", "s4na")
