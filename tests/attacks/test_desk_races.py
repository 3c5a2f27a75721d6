"""Two colleagues press at the same moment: one act, and the second is told."""

import threading

import pytest

from tests.policy.world import ANN, World
from tests.staff.acting import KINDS, NEW, SAID, page_of, ready


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def ann(sign_up):
    """Signed up in this very database."""
    return sign_up()


def at_once(*calls):
    """-> what each call gave back, in their order; they start together."""
    start, found = threading.Barrier(len(calls)), [None] * len(calls)

    def run(place, call):
        start.wait(5)
        found[place] = call()

    crowd = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join(60)
    return found


def done(world, name):
    """What is on record of this act, by those who are signed in."""
    kept = "SELECT id FROM event WHERE kind = :kind AND actor_id IS NOT NULL AND desk"
    return world.rows(kept, kind=KINDS[name])


@pytest.mark.parametrize("seen", [True, False], ids=["what was seen is told", "and is not told"])
@pytest.mark.parametrize("name", KINDS)
def test_authz_07_two_at_once_are_one_act_and_the_second_is_told(world, ann, agent, name, seen):
    ruth = agent("admin", "ruth@example.org", "Ruth Lund")
    omar = agent("admin", "omar@example.org", "Omar Haddad")
    path = ready(world, name)
    world.post.deliver()
    mails = len(world.rows("SELECT id FROM outbox"))
    for browser in ruth, omar:
        browser.get(path)
    said = SAID if seen else SAID | {"seen": None}
    pages = at_once(
        *[
            lambda browser=browser: browser.submit(f"{path}/{name}", **said)
            for browser in (ruth, omar)
        ]
    )
    first, second = sorted(pages, key=lambda page: page.status)
    assert first.status == 303
    assert second.status in (422, 429)
    assert len(second.summary) == 1
    assert len(done(world, name)) == 1
    assert len(world.rows("SELECT id FROM outbox")) == mails + 1
    if seen:
        quicker = "Ruth Lund" if first is pages[0] else "Omar Haddad"
        assert second.status == 422
        assert second.summary[0].startswith(f"{quicker} ")


def test_authz_07_different_acts_at_once_follow_one_another(world, ann, agent):
    ruth = agent("admin", "ruth@example.org", "Ruth Lund")
    omar = agent("admin", "omar@example.org", "Omar Haddad")
    path = ready(world, "sign-out")
    for browser in ruth, omar:
        browser.get(path)
    pages = at_once(
        lambda: ruth.submit(f"{path}/block", **SAID),
        lambda: omar.submit(f"{path}/recovery", **SAID),
    )
    assert sorted(page.status for page in pages) == [303, 422]
    assert len(done(world, "block") + done(world, "recovery")) == 1


def test_authz_03_two_admins_who_block_each_other_leave_one(world, agent):
    ruth = agent("admin", "ruth@example.org", "Ruth Lund")
    omar = agent("admin", "omar@example.org", "Omar Haddad")
    paths = {email: page_of(world, email) for email in (ruth.email, omar.email)}
    ruth.get(paths[omar.email])
    omar.get(paths[ruth.email])
    pages = at_once(
        lambda: ruth.submit(f"{paths[omar.email]}/block", **SAID),
        lambda: omar.submit(f"{paths[ruth.email]}/block", **SAID),
    )
    assert all(page.status in (303, 422) for page in pages)
    blocked = world.rows("SELECT email FROM person WHERE blocked_at IS NOT NULL")
    assert len(blocked) == 1
    left = ruth if blocked == [(omar.email,)] else omar
    assert left.get("/admin/people").status == 200


def test_authz_07_an_act_and_the_purge_of_its_person(world, ann, agent):
    ruth = agent("admin")
    path = ready(world, "recovery")
    ruth.get(path)
    pages = at_once(
        lambda: ruth.submit(f"{path}/recovery", **SAID),
        lambda: world.write("DELETE FROM person WHERE email IN (:ann, :new)", ann=ANN, new=NEW),
    )
    assert pages[0].status in (303, 404, 503)
