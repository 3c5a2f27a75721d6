"""Many people at once, put beside the doors: for tests and benches that are about their mail."""

from __future__ import annotations

from flask import Flask

from portal.accounts.models import Person
from portal.core import clock
from portal.core.db import transaction

NO_PASSWORD = "nobody signs in"  # no hash: no password fits


def settle(app: Flask, count: int, password_hash: str = NO_PASSWORD) -> list[str]:
    """-> the proven addresses of so many new people.

    One hash for all of them is as good as many, and not slow.
    """
    addresses = [f"person{number}@example.org" for number in range(count)]
    with app.app_context(), transaction() as session:
        session.add_all(_person(address, password_hash) for address in addresses)
    return addresses


def _person(address: str, password_hash: str) -> Person:
    now = clock.now()
    return Person(
        email=address,
        email_key=address,
        email_proven_at=now,
        full_name="Ann Miller",
        role="user",
        password_hash=password_hash,
        password_changed_at=now,
        created_at=now,
    )
