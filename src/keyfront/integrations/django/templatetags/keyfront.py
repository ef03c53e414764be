"""The template tag `signed_url`: `{% load keyfront %}{% signed_url "videos/1.mp4" expires="10m" %}`."""

from datetime import timedelta

from django import template
from django.db.models.fields.files import FieldFile

from keyfront.core.entered_times import lifetime
from keyfront.errors import InputError
from keyfront.integrations.django.settings import current

register = template.Library()


@register.simple_tag  # type: ignore[untyped-decorator]  # Django has no types
def signed_url(what: object, expires: str | float | timedelta | None = None) -> str:
    """Return a signed URL for an S3 key, a URL of the distribution, or a model's file.

    `expires` is its lifetime: a span (`"1h"`), seconds or a timedelta. If not given, it is `KEYFRONT["LIFETIME"]`.
    """
    until = current().lifetime if expires is None else lifetime(expires, "expires")
    site = current().site
    if isinstance(what, FieldFile):
        what = what.name
    if not isinstance(what, str) or not what:
        raise InputError(f"signed_url got {what!r}: give an object's key, a URL or a model's file")
    if what.startswith(("https://", "http://")):
        return site.sign_url(what, expires=until)
    return site.sign_object(what, expires=until)
