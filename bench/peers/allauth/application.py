"""A portal on django-allauth, as its quick start advises: sign-in, reset by code, profile, JSON.

Settings and pages in one file.  Everything is left as shipped, but that people sign in by address
and reset by code, rate limits are off (as ours are while speed is measured), and database
connections are kept (without that it would be far slower).  OUR_TERMS=1 takes bcrypt of cost 12.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django import forms, urls
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.shortcuts import redirect, render

HERE = Path(__file__).parent
DATABASE = urlsplit(os.environ["DATABASE_URL"])
OUR_TERMS = {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]}

settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    STATIC_URL="static/",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "allauth",
        "allauth.account",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [HERE / "templates"],
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    AUTH_PASSWORD_VALIDATORS=[
        {"NAME": f"django.contrib.auth.password_validation.{name}"}
        for name in (
            "UserAttributeSimilarityValidator",
            "MinimumLengthValidator",
            "CommonPasswordValidator",
            "NumericPasswordValidator",
        )
    ],
    AUTHENTICATION_BACKENDS=[
        "django.contrib.auth.backends.ModelBackend",
        "allauth.account.auth_backends.AuthenticationBackend",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": DATABASE.path[1:],
            "USER": DATABASE.username,
            "HOST": DATABASE.hostname,
            "PORT": DATABASE.port,
            "CONN_MAX_AGE": None,
        }
    },
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=int(os.environ["SMTP_PORT"]),
    DEFAULT_FROM_EMAIL="portal@latchkey.example",
    LOGIN_REDIRECT_URL="/profile",
    ACCOUNT_LOGIN_METHODS={"email"},
    ACCOUNT_SIGNUP_FIELDS=["email*", "password1*", "password2*"],
    ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED=True,
    ACCOUNT_RATE_LIMITS=False,
    **(OUR_TERMS if os.environ.get("OUR_TERMS") else {}),
)
app = get_wsgi_application()


class NameForm(forms.Form):
    """What the profile page lets people change."""

    full_name = forms.CharField(label="Full name", max_length=150)


@login_required
def profile(request):
    """Shows who is signed in, and takes a new name."""
    form = NameForm(request.POST or None, initial={"full_name": request.user.first_name})
    if form.is_valid():
        request.user.first_name = form.cleaned_data["full_name"]
        request.user.save()
        return redirect("/profile")
    return render(request, "profile.html", {"form": form})


@login_required
def me(request):
    """The same for programs."""
    user = request.user
    return JsonResponse({"id": user.pk, "email": user.email, "full_name": user.first_name})


urlpatterns = [
    urls.path("accounts/", urls.include("allauth.urls")),
    urls.path("profile", profile),
    urls.path("me.json", me),
]
