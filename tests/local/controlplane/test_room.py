"""What holds for the room as a whole: what it imports, what it stores, which errors it can give."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import keyfront.local.controlplane
from keyfront.local.controlplane import (
    cache_policies,
    continuous_deployment,
    field_level_encryption,
    key_groups,
    origin_access_controls,
    origin_access_identities,
    origin_request_policies,
    public_keys,
    response_headers_policies,
)
from keyfront.local.controlplane.family import Family
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.store import Table

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

SOURCES = sorted(Path(keyfront.local.controlplane.__file__).parent.glob("*.py"))
FAMILIES: tuple[Family[Any], ...] = (
    *(public_keys.FAMILY, key_groups.FAMILY, origin_access_controls.FAMILY, origin_access_identities.FAMILY),
    *(cache_policies.FAMILY, origin_request_policies.FAMILY, response_headers_policies.FAMILY),
    *(continuous_deployment.FAMILY, field_level_encryption.PROFILES, field_level_encryption.CONFIGS),
)


def family_codes(family: Family[Any]) -> set[str]:
    named = family.error_noun or family.noun
    taken = {f"{family.noun}AlreadyExists"} if family.unique else set()
    return {*taken, f"TooMany{family.plural}", f"NoSuch{named}", f"{named}InUse"}


CODES = sorted(
    {code for path in SOURCES for code in re.findall(r'APIError\(\s*"(\w+)"', path.read_text())}.union(
        *(family_codes(family) for family in FAMILIES)
    )
)


def test_it_imports_no_other_room_no_server_and_no_client() -> None:
    program = "import sys, keyfront.local.controlplane.asgi; print(*sorted(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = {name for name in ran.stdout.split() if not name.startswith("keyfront.local.controlplane")}
    forbidden = ("starlette", "moto", "granian", "boto3", "keyfront.edge", "keyfront.local.", "keyfront.inventory")
    assert not [name for name in imported if name.startswith(forbidden)]


def test_what_it_stores_can_be_written_down_and_read_again(
    endpoint: Any,
    cloudfront: CloudFrontClient,
    make_group: Callable[..., str],
    trusting: Callable[..., str],
) -> None:
    distribution = trusting(make_group())
    batch: Any = {"CallerReference": "1", "Paths": {"Quantity": 1, "Items": ["/*"]}}
    cloudfront.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
    store = endpoint.plane._account.store
    rows = {name: table.rows() for name, table in vars(store).items() if isinstance(table, Table)}
    assert rows.keys() >= {"distributions", "key_groups", "public_keys", "invalidations", "deployment_policies"}
    assert pickle.loads(pickle.dumps(rows)) == rows


@pytest.mark.parametrize("code", CODES)
def test_every_code_it_gives_has_a_status(code: str) -> None:
    assert 400 <= APIError(code, "").status <= 501


def test_there_are_as_many_codes_as_rules() -> None:
    assert len(CODES) > 50


def test_a_reset_forgets_everything(
    cloudfront: CloudFrontClient, endpoint: Any, make_distribution: Any, make_group: Any
) -> None:
    make_group()
    make_distribution()
    cloudfront.create_key_value_store(Name="prices", Tags={"Items": [{"Key": "team", "Value": "shop"}]})
    endpoint.plane.propagation.register("edge")
    endpoint.plane.reset()
    assert cloudfront.list_distributions()["DistributionList"]["Quantity"] == 0
    assert cloudfront.list_key_groups()["KeyGroupList"]["Quantity"] == 0
    assert cloudfront.list_public_keys()["PublicKeyList"]["Quantity"] == 0
    assert cloudfront.list_key_value_stores()["KeyValueStoreList"]["Quantity"] == 0
    assert make_distribution()
