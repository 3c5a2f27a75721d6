"""A social link leads to the platform that it names, or it is refused."""

import pytest

from portal.core.errors import Rejected
from portal.profile import links

NOT_AN_ADDRESS = "Enter a web address that starts with https://"


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    values = {"LINK_MAX_LENGTH": 255}
    monkeypatch.setattr(links, "setting", values.__getitem__)
    return values


def refused(platform, typed):
    with pytest.raises(Rejected) as refusal:
        links.tidy(platform, typed)
    assert refusal.value.field == platform
    return refusal.value


def test_the_platforms_stand_in_their_order_with_labels():
    assert [(name, str(site.label)) for name, site in links.PLATFORMS.items()] == [
        ("website", "Website"),
        ("github", "GitHub"),
        ("gitlab", "GitLab"),
        ("linkedin", "LinkedIn"),
        ("x", "X"),
        ("mastodon", "Mastodon"),
        ("instagram", "Instagram"),
        ("youtube", "YouTube"),
    ]


@pytest.mark.parametrize("platform", links.PLATFORMS)
@pytest.mark.parametrize("typed", ["", " ", "    "])
def test_nothing_typed_is_no_link(platform, typed):
    assert links.tidy(platform, typed) is None


@pytest.mark.parametrize(
    "platform, typed, address",
    [
        ("website", "https://example.org", "https://example.org"),
        (
            "website",
            "HTTPS://WWW.Example.ORG/Path?q=1#Part",
            "https://www.example.org/Path?q=1#Part",
        ),
        ("website", "example.org", "https://example.org"),
        ("website", "example.org/about-me", "https://example.org/about-me"),
        ("website", "https://münchen.de/straße", "https://xn--mnchen-3ya.de/stra%C3%9Fe"),
        ("website", "https://xn--mnchen-3ya.de", "https://xn--mnchen-3ya.de"),
        ("website", "https://例え.jp", "https://xn--r8jz45g.jp"),
        ("github", "https://github.com/sana", "https://github.com/sana"),
        ("github", "https://www.GitHub.com/Sana", "https://www.github.com/Sana"),
        ("github", "github.com/sana", "https://github.com/sana"),
        ("github", "github.com", "https://github.com"),
        ("github", "@sana", "https://github.com/sana"),
        ("github", "sana-iqbal", "https://github.com/sana-iqbal"),
        ("github", "  sana  ", "https://github.com/sana"),
        ("github", "https://gist.github.com/sana", "https://gist.github.com/sana"),
        ("gitlab", "sana.iqbal", "https://gitlab.com/sana.iqbal"),
        ("gitlab", "gitlab.com/group/project", "https://gitlab.com/group/project"),
        ("linkedin", "sana-iqbal", "https://linkedin.com/in/sana-iqbal"),
        ("linkedin", "https://de.linkedin.com/in/sana/", "https://de.linkedin.com/in/sana/"),
        ("linkedin", "www.linkedin.com/in/jürgen", "https://www.linkedin.com/in/j%C3%BCrgen"),
        ("linkedin", "https://linkedin.com/in/j%C3%BCrgen", "https://linkedin.com/in/j%C3%BCrgen"),
        ("x", "@sana", "https://x.com/sana"),
        ("x", "https://twitter.com/sana", "https://twitter.com/sana"),
        ("x", "mobile.twitter.com/sana", "https://mobile.twitter.com/sana"),
        ("mastodon", "@sana@mastodon.social", "https://mastodon.social/@sana"),
        ("mastodon", "sana@Fosstodon.org", "https://fosstodon.org/@sana"),
        ("mastodon", "https://mastodon.social/@sana", "https://mastodon.social/@sana"),
        ("mastodon", "mastodon.social/@sana", "https://mastodon.social/@sana"),
        ("mastodon", "https://example.org/users/sana", "https://example.org/users/sana"),
        ("instagram", "@sana.iqbal", "https://instagram.com/sana.iqbal"),
        ("instagram", "sana_iqbal", "https://instagram.com/sana_iqbal"),
        ("youtube", "sana", "https://youtube.com/@sana"),
        ("youtube", "@sana", "https://youtube.com/@sana"),
        ("youtube", "https://m.youtube.com/@sana?si=1", "https://m.youtube.com/@sana?si=1"),
    ],
)
def test_what_people_type_becomes_an_address(platform, typed, address):
    assert links.tidy(platform, typed) == address
    assert links.tidy(platform, address) == address


FOREIGN = [
    "https://github.com.evil.example/sana",
    "github.com.evil.example",
    "https://evil.example/github.com",
    "https://evilgithub.com/sana",
    "https://github.co/sana",
    "https://evil.example?github.com",
    "https://evil.example#github.com",
    "https://xn--gthub-n4a.com/sana",
    "https://gıthub.com/sana",
    "https://githυb.com/sana",
    "https://ｇｉｔｈｕｂ.com/sana",
    "https://github。com/sana",
    "evil.example/github.com",
]
BROKEN = [
    "https://user:password@github.com/sana",
    "https://github.com@evil.example/",
    "https://evil.example\\@github.com/",
    "https://evil.example\\.github.com/",
    "https://github.com:443/sana",
    "github.com:8080/sana",
    "https://github.com./sana",
    "https://.github.com/sana",
    "https://a..github.com/sana",
    "https://-a.github.com/sana",
    "https://a_b.github.com/sana",
    "https://%67ithub.com/sana",
    "https:///github.com/sana",
    "https://",
    "https:github.com/sana",
    "https:/github.com/sana",
    "//github.com/sana",
    "/github.com/sana",
    "@",
    "@@sana",
    "http://github.com/sana",
    "HTTP://github.com/sana",
    "ftp://github.com/sana",
    "javascript:alert(1)",
    "JavaScript:alert(1)//github.com",
    "javascript://github.com/%0aalert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "java\tscript:alert(1)",
    "https://github.com/sa na",
    "https://github.com/\tsana",
    "https://github.com/sana\n",
    "\nhttps://github.com/sana",
    "https://github.com/\x00sana",
    "https://github.com/\x7fsana",
    "https://github.com/\u202esana",
    "https://github.com/\u200bsana",
    "https://github.com/\u00a0sana",
    "https://github.com/\ud800",
    "https://git\thub.com/sana",
    'https://github.com/"onmouseover="alert(1)',
    "https://github.com/<script>",
    "https://github.com/%zz",
    "https://github.com/100%",
    "https://https://github.com/sana",
]


@pytest.mark.parametrize("typed", FOREIGN)
def test_another_site_is_refused(typed):
    refusal = refused("github", typed)
    assert refusal.code in ("other_site", "not_an_address")
    assert refusal.message in ("Enter the address of a GitHub page", NOT_AN_ADDRESS)


@pytest.mark.parametrize("platform", ["github", "website"])
@pytest.mark.parametrize("typed", BROKEN)
def test_what_is_no_plain_https_address_is_refused(platform, typed):
    refusal = refused(platform, typed)
    assert (refusal.code, refusal.message) == ("not_an_address", NOT_AN_ADDRESS)


@pytest.mark.parametrize("platform", list(links.PLATFORMS)[1:])
@pytest.mark.parametrize(
    "typed", ["https://example.org/", "https://github.com.evil.example/@sana/", "evil.example/x"]
)
def test_no_platform_takes_the_address_of_another_site(platform, typed):
    if platform == "mastodon":
        typed = typed.replace("@sana", "sana")  # any host may serve it, only its paths tell
    refusal = refused(platform, typed)
    assert refusal.code == "other_site"
    label = links.PLATFORMS[platform].label
    article = "an" if platform in ("x", "instagram") else "a"
    assert refusal.message == f"Enter the address of {article} {label} page"


@pytest.mark.parametrize("typed", ["https://youtube.com/@sana", "https://www.instagram.com/@sana"])
def test_another_platform_is_no_mastodon(typed):
    assert refused("mastodon", typed).code == "other_site"


@pytest.mark.parametrize(
    "typed",
    [
        *("https://127.0.0.1/", "https://192.168.1.1", "127.0.0.1", "https://0x7f.1", "https://1"),
        *("https://[::1]/", "https://2130706433/", "https://１２７.0.0.1", "https://127.0.0.0x1"),
        *("https://localhost", "localhost", "https://me.localhost", "https://printer.local"),
        *("https://intranet", "name", "@name", "https://db.internal/", "https://straße.de"),
        *("https://1.0.0.127.in-addr.arpa", "https://" + "a" * 64 + ".org", "https://a.b"),
    ],
)
def test_a_website_is_a_public_name_with_a_dot(typed):
    assert refused("website", typed).message == NOT_AN_ADDRESS


def test_a_long_address_is_refused_with_its_length(limits):
    room = 255 - len("https://github.com/")
    assert links.tidy("github", "https://github.com/" + "a" * room)
    refusal = refused("github", "https://github.com/" + "a" * (room + 1))
    assert refusal.code == "too_long"
    assert refusal.message == "Shorten the address to 255 characters. It has 256."
    assert refused("github", "a" * 250).code == "too_long"  # with its host in front
    assert refused("website", "https://example.org/" + "ü" * 60).code == "too_long"  # as kept
    assert refused("website", "https://example.org/" + "a" * 1_000_000).code == "too_long"
    limits["LINK_MAX_LENGTH"] = 60
    assert refused("github", "https://github.com/" + "a" * 42).code == "too_long"
