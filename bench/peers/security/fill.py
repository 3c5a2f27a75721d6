"""Makes the tables and PEOPLE accounts with one password: person0@example.org and so on."""

import os
from datetime import UTC, datetime
from uuid import uuid4

from application import User, app, db
from flask_security import hash_password

with app.app_context():
    db.create_all()
    kept = hash_password(os.environ["PASSWORD"])
    db.session.add_all(
        User(
            email=f"person{number}@example.org",
            full_name="Ann Miller",
            password=kept,
            active=True,
            confirmed_at=datetime.now(UTC),  # noqa: TID251 - another application than ours
            fs_uniquifier=uuid4().hex,
        )
        for number in range(int(os.environ["PEOPLE"]))
    )
    db.session.commit()
