"""A Django site: its settings are configured here, once a process; its views are its URL configuration."""

import time
from typing import Any

import django
from django.conf import settings

from keyfront import SigningKey

KEY = SigningKey.generate("ecdsa")
KEY_ID = "K2JCJMDEHXQW5F"
HOST = "media.example.com"


class Keys:
    """A keystore whose source can be switched off."""

    failing = False

    def signer(self) -> Any:
        from keyfront import Signer
        from keyfront.errors import ServiceError

        if self.failing:
            raise ServiceError("SSM parameter /shop/key could not be read")
        return Signer(KEY_ID, KEY, clock=lambda: time.time())  # looked up late: tests put it forward

    async def signer_async(self) -> Any:
        return self.signer()


KEYS = Keys()


def configured(**others: Any) -> None:
    """Configure Django and make the tables in memory."""
    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="of a test",
        ROOT_URLCONF="tests.integrations.site.urls",
        USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:site?mode=memory&cache=shared"}},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.sessions",
            "keyfront.integrations.django",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "keyfront.integrations.django.middleware.SignedCookiesMiddleware",
        ],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        KEYFRONT={
            "SIGNER": KEYS,
            "DOMAIN": HOST,
            "LIFETIME": 600,
            "COOKIES": {"RESOURCE": "/members/*", "DOMAIN": ".example.com", "LIFETIME": 1000},
        },
        **others,
    )
    django.setup()
