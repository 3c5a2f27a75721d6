"""What the door that asks decides: how long, how often, which link."""

from dataclasses import dataclass, replace

from portal.codes.models import API, DESK, EMAIL, PAGE, SMS
from portal.core.settings import setting


@dataclass(frozen=True)
class Terms:
    """Life of code and link in seconds, tries for the code, the link's path with `{token}`.

    In the path of some programs' links stands `{uid}` too: whose account it is.
    """

    code_seconds: int
    max_attempts: int
    link_seconds: int
    link_path: str
    channel: str = EMAIL
    door: str = PAGE

    def by_sms(self) -> "Terms":
        """The same for a message that carries no link: a code alone, by SMS."""
        return replace(self, link_path="", channel=SMS)

    def about(self, uid: object) -> "Terms":
        """The same with a link that says whose account it is, where the door's links do."""
        return replace(self, link_path=self.link_path.replace("{uid}", str(uid)))

    def by_program(self) -> "Terms":
        """The same, asked for by a program."""
        return replace(self, door=API)

    def by_desk(self) -> "Terms":
        """The same, sent by the helpdesk."""
        return replace(self, door=DESK)


def page(link_path: str) -> Terms:
    """Recovery asked for in a browser."""
    return _terms("CODE_LIFETIME_SECONDS", "CODE_MAX_ATTEMPTS", "LINK_LIFETIME_SECONDS", link_path)


def api(link_path: str) -> Terms:
    """Recovery asked for by a program."""
    lives = "API_CODE_LIFETIME_SECONDS", "API_CODE_MAX_ATTEMPTS", "LINK_LIFETIME_SECONDS"
    return _terms(*lives, link_path).by_program()


def desk(link_path: str) -> Terms:
    """Recovery that the helpdesk sends."""
    return page(link_path).by_desk()


def proof(link_path: str) -> Terms:
    """Proof of an address or a number, from any door."""
    lives = "PROOF_CODE_LIFETIME_SECONDS", "PROOF_CODE_MAX_ATTEMPTS", "PROOF_LINK_LIFETIME_SECONDS"
    return _terms(*lives, link_path)


def _terms(code_seconds: str, max_attempts: str, link_seconds: str, link_path: str) -> Terms:
    return Terms(setting(code_seconds), setting(max_attempts), setting(link_seconds), link_path)
