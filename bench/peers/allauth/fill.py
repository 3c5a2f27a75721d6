"""Makes the tables and PEOPLE accounts with one password: person0@example.org and so on."""

import os

import application  # noqa: F401  # isort: skip - settings first: models ask for them
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command

call_command("migrate", verbosity=0)
kept = make_password(os.environ["PASSWORD"])
people = User.objects.bulk_create(
    User(username=f"person{number}", email=f"person{number}@example.org",
         first_name="Ann Miller", password=kept)
    for number in range(int(os.environ["PEOPLE"]))
)  # fmt: skip
EmailAddress.objects.bulk_create(
    EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in people
)
