"""The Django application: `INSTALLED_APPS = [..., "keyfront.integrations.django"]`."""

from django.apps import AppConfig


class KeyfrontConfig(AppConfig):  # type: ignore[misc]  # Django has no types
    """Registers the system checks. Installing the application also provides the template tag."""

    name = "keyfront.integrations.django"
    label = "keyfront"
    verbose_name = "Keyfront"

    def ready(self) -> None:
        """Register the checks."""
        from django.core.checks import register

        from keyfront.integrations.django.checks import check_settings

        register(check_settings)
