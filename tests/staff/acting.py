"""What tests of the desk's acts share: finding a person's page, and sending one of its forms."""

from tests.conftest import ask, open_account, sign_in
from tests.policy.world import ANN, World
from tests.rigs import authenticator
from tests.rigs.visitor import Page, Visitor

CHECK, REASON, TICKET = "Showed identity in person", "Lost the phone", "HD-20418"
SAID = {"verified_by": CHECK, "reason": REASON, "ticket": TICKET}
NEW = "new@example.org"
KINDS = {
    "recovery": "recovery:sent-by-support",
    "sign-out": "account:signed-out",
    "block": "account:blocked",
    "unblock": "account:unblocked",
    "clear-throttles": "account:throttles-cleared",
    "resend-proof": "proof:sent-by-support",
    "clear-factor": "two-step:cleared",
}


def page_of(world: World, email: str = ANN) -> str:
    """The path of the person's page."""
    ((uuid,),) = world.rows("SELECT uuid FROM person WHERE email = :email", email=email)
    text = str(uuid).replace("-", "")
    return "/admin/people/" + "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def ready(world: World, act: str) -> str:
    """Ann, or somebody new, in need of this act.  -> the path of the page."""
    if act == "resend-proof":
        open_account(world.visitor(address="203.0.113.77"), NEW, "Noor New")
        world.post.deliver()
        return page_of(world, NEW)
    WAYS.get(act, lambda _world: None)(world)
    return page_of(world)


def act(browser: Visitor, path: str, name: str, **said: object) -> Page:
    """Opens the person's page and sends the form of this act."""
    browser.get(path)
    return browser.submit(f"{path}/{name}", **(SAID | said))


def token(page: Page) -> str:
    """The CSRF token of any form on it, for forms that are not there."""
    return str(page.form("/sign-out").fields["csrf_token"])


def forge(browser: Visitor, path: str, name: str, **said: object) -> Page:
    """Sends the form of an act that the page does not offer."""
    browser.get("/profile")
    assert browser.page is not None
    return browser.post(
        f"{path}/{name}",
        {"csrf_token": token(browser.page)} | SAID | said,
        kind="application/x-www-form-urlencoded",
    )


def acts_on(world: World, email: str) -> list[tuple[object, ...]]:
    """(kind, detail) of what the desk did to somebody, newest first; looking left out."""
    wanted = (
        "SELECT kind, detail FROM event JOIN person ON person.id = event.person_id "
        "WHERE email = :email AND desk AND kind <> 'desk:opened' "
        "AND actor_id IS NOT NULL ORDER BY event.id DESC"
    )
    return world.rows(wanted, email=email)


def wait(world: World) -> None:
    """Ann typed wrong passwords until she has to wait."""
    for number in range(10):
        sign_in(world.visitor(), ANN, f"wrong {number}")
    assert sign_in(world.visitor(), ANN).status == 429


def _factor(world: World) -> None:
    authenticator.set_up(world.inside())


WAYS = {
    "sign-out": lambda world: world.inside(),
    "unblock": lambda world: world.command("users", "block", ANN),
    "clear-throttles": wait,
    "clear-factor": _factor,
    "recovery": lambda world: ask(world.visitor(), ANN),
}
