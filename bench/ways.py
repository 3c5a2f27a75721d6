"""Where things are in each application, and which answers are right."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Expected:
    """What an answer has to be: status, where it leads, words of its page."""

    status: int
    place: str = ""
    words: str = ""


@dataclass(frozen=True)
class Ways:
    """Paths, names of fields, and right answers of one kind of application."""

    sign_in: str
    login: str  # the field of the address
    entered: Expected
    wrong: Expected
    json: str
    recover: str
    identifier: str
    asked: Expected
    unknown: Expected


OUR_WAYS = Ways(
    "/sign-in",
    "email",
    Expected(303, "/profile"),
    Expected(422, words="They do not match"),
    "/api/v1/profile",
    "/recover",
    "identifier",
    Expected(303, "/recover/code"),
    Expected(303, "/recover/code"),
)
SENT, NOBODY = "Instructions to reset your password have been sent", "does not exist"
SECURITY_WAYS = Ways(
    "/login",
    "email",
    Expected(302, "/profile"),
    Expected(200, words="Invalid password"),
    "/me.json",
    "/reset",
    "email",
    Expected(200, words=SENT),
    Expected(200, words=NOBODY),
)
SECURITY_TERMS = replace(
    SECURITY_WAYS,
    unknown=Expected(200, words=SENT),
    wrong=Expected(200, words="Authentication failed"),
)
CONFIRM = "/accounts/password/reset/confirm/"
ALLAUTH_WAYS = Ways(
    "/accounts/login/",
    "login",
    Expected(302, "/profile"),
    Expected(200, words="password you specified are not correct"),
    "/me.json",
    "/accounts/password/reset/",
    "email",
    Expected(302, CONFIRM),
    Expected(302, CONFIRM),
)
