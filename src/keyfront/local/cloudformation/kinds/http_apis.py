"""API Gateway's resource types for HTTP APIs. Source: Template Reference, "AWS::ApiGatewayV2"."""

from collections.abc import Mapping
from typing import Final

from keyfront.local.cloudformation.kinds.kind import Described, Kind

_SERVICE: Final = "apigatewayv2"


def _part(noun: str) -> Described:
    """Return a part of an API with an id of its own."""
    return Described(
        service=_SERVICE,
        create_operation=f"Create{noun}",
        update_operations=(f"Update{noun}",),
        delete_operation=f"Delete{noun}",
        physical=f"Out.{noun}Id",
        identity={"ApiId": "ApiId", f"{noun}Id": "Id"},
        attributes={f"{noun}Id": f"Out.{noun}Id"},
    )


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::ApiGatewayV2::Api": Described(
        service=_SERVICE,
        create_operation="CreateApi",
        update_operations=("UpdateApi",),
        delete_operation="DeleteApi",
        physical="Out.ApiId",
        identity={"ApiId": "Id"},
        attributes={"ApiId": "Out.ApiId", "ApiEndpoint": "Out.ApiEndpoint"},
    ),
    "AWS::ApiGatewayV2::Stage": Described(
        service=_SERVICE,
        create_operation="CreateStage",
        update_operations=("UpdateStage",),
        delete_operation="DeleteStage",
        physical="In.StageName",
        identity={"ApiId": "ApiId", "StageName": "Id"},
    ),
    **{f"AWS::ApiGatewayV2::{noun}": _part(noun) for noun in ("Authorizer", "Integration", "Route")},
}
