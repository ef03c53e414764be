"""Django: signed cookies for signed-in users, a template tag, and a signer for django-storages."""

from keyfront.home import install

try:
    import django as _django  # noqa: F401  imported first, so that our error shows if it is missing
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"keyfront.integrations.django needs Django: {install('django')}", name=error.name
    ) from None

from keyfront.integrations.django.cookies import delete_signed_cookies, set_signed_cookies
from keyfront.integrations.django.decorators import signed_cookies
from keyfront.integrations.django.settings import get_site

__all__ = ["delete_signed_cookies", "get_site", "set_signed_cookies", "signed_cookies"]
