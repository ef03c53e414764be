"""Extends moto's SSM parameters with the tiers and their size limits."""

from typing import Any, Final

from moto.ssm.exceptions import ValidationException
from moto.ssm.models import SimpleSystemManagerBackend

_put: Final = SimpleSystemManagerBackend.put_parameter

_STANDARD, _ADVANCED = "Standard", "Advanced"
_TIERS: Final = (_STANDARD, _ADVANCED, "Intelligent-Tiering")
_CHARACTERS: Final = {_STANDARD: 4096, _ADVANCED: 8192}
"""The longest values. Source: API Reference, "PutParameter": 4 KB and 8 KB. The service's message counts characters."""


def install() -> None:
    """Refuse values that the service refuses. A key that is accepted only here would fail at the first deployment."""

    def put(
        self: SimpleSystemManagerBackend,
        name: str,
        description: str,
        value: str,
        parameter_type: str,
        allowed_pattern: str,
        keyid: str,
        overwrite: bool,
        tags: list[dict[str, str]],
        data_type: str,
        tier: str | None,
        policies: str | None,
    ) -> Any:
        versions = self._parameters.get(name)
        held = _tier(tier, value, policies, versions[-1].tier if versions else None)
        return _put(
            self, name, description, value, parameter_type, allowed_pattern, keyid, overwrite, tags, data_type,
            tier=held, policies=policies,
        )  # fmt: skip

    SimpleSystemManagerBackend.put_parameter = put  # type: ignore[method-assign]


def _tier(wanted: str | None, value: str | None, policies: str | None, before: str | None) -> str:
    """Return the tier of a parameter. Source: API Reference, "PutParameter", `Tier`; the default tier is Standard.

    Assumed: a change without a tier keeps an advanced parameter in its tier, since it cannot be downgraded.
    """
    if wanted is not None and wanted not in _TIERS:
        raise ValidationException(
            f"1 validation error detected: Value '{wanted}' at 'tier' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(_TIERS)}]"
        )
    if wanted == _STANDARD and before == _ADVANCED:
        raise ValidationException(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
            "advanced-parameter tier to the standard-parameter tier. Delete it, and create it as a standard parameter."
        )
    size = len(value or "")
    needs_more = before == _ADVANCED or size > _CHARACTERS[_STANDARD] or bool(policies)
    if wanted == "Intelligent-Tiering":
        tier = _ADVANCED if needs_more else _STANDARD
    else:
        tier = wanted or before or _STANDARD
    if size > _CHARACTERS[tier]:
        how = "To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier."
        raise ValidationException(
            f"{tier} tier parameters support a maximum parameter value of {_CHARACTERS[tier]} characters."
            + (f" {how}" if tier == _STANDARD else "")
        )
    return tier
