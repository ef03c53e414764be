"""The download service on Lambda: the function, a role with the least rights, and an address."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from aws_cdk import Duration, RemovalPolicy, Stack, Token
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from keyfront.core.key_ids import checked_key_pair_id
from keyfront.errors import InputError
from keyfront.integrations.cdk.kms_public_key import own_log
from keyfront.integrations.cdk.signing_key import SigningKey

_OWN: Final = frozenset({"CLOUDFRONT_DOMAIN", "KEYPAIR_ID", "PRIVATE_KEY_PARAMETER", "SIGNER"})
_LONGEST_SECONDS: Final = 30
_ACCESS_LOG: Final = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "route": "$context.routeKey",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
}
"""A line of the access log. It has the route instead of the path, so nothing that a caller can choose."""


@dataclass(frozen=True)
class JWTAuthorizer:
    """Whose tokens API Gateway accepts."""

    issuer: str
    audiences: Sequence[str]


class DownloadEndpoint(Construct):  # type: ignore[misc]
    """The function that signs links for customers, behind an HTTP API or at a function URL."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  the CDK's name
        *,
        package: lambda_.Code,
        cloudfront_domain: str,
        signing_key: SigningKey,
        key_pair_id: str | None = None,
        address: Literal["api", "function_url"] = "api",
        environment: Mapping[str, str] | None = None,
        jwt_authorizer: JWTAuthorizer | None = None,
        routes: Sequence[str] = ("$default",),
        public_routes: Sequence[str] = (),
        handler: str = "keyfront.backend.aws_lambda.handler",
        runtime: lambda_.Runtime = lambda_.Runtime.PYTHON_3_12,
        architecture: lambda_.Architecture = lambda_.Architecture.X86_64,
        layers: Sequence[lambda_.ILayerVersion] = (),
        memory_mb: int = 512,
        timeout_seconds: int = 10,
        throttling_rate: int = 100,
        throttling_burst: int = 200,
        access_log: bool = False,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        """Create the function and its address.

        - `package` is the function's code: `Code.from_asset("function.zip")` with what `keyfront lambda package` wrote.
        - `cloudfront_domain` is the host of the links: `PrivateContent.domain_name` or an alias.
        - `key_pair_id` is `TrustedKeyGroup.current_key_id`. Leave it out if the stored document has the id.
        - `routes` of the API need the authorizer, if there is one. `public_routes` do not.
        - `access_log` makes the API log a line for each request, without query strings and headers.

        Raises `InputError`.
        """
        super().__init__(scope, id)
        self._check(environment or {}, signing_key, key_pair_id, timeout_seconds, jwt_authorizer, address)
        self.log_group = logs.LogGroup(self, "Log", retention=log_retention, removal_policy=RemovalPolicy.DESTROY)
        self.role = self._role(signing_key)
        """The execution role. Attach to it what your own code needs, such as access to a table."""
        self.function = lambda_.Function(
            self,
            "Function",
            description="Signs CloudFront links for customers who may download",
            role=self.role,
            code=package,
            handler=handler,
            runtime=runtime,
            architecture=architecture,
            layers=list(layers),
            memory_size=memory_mb,
            timeout=Duration.seconds(timeout_seconds),
            log_group=self.log_group,
            environment={
                **(environment or {}),
                "CLOUDFRONT_DOMAIN": cloudfront_domain,
                "SIGNER": signing_key.signer,
                **({"KEYPAIR_ID": key_pair_id} if key_pair_id is not None else {}),
            },
        )
        if address == "function_url":
            made = self.function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.NONE)
            self.url: str = made.url
            """The address of the service."""
        else:
            throttle = apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=throttling_rate, throttling_burst_limit=throttling_burst
            )
            log = self._access_log(log_retention) if access_log else None
            self.url = self._api(routes, public_routes, jwt_authorizer, timeout_seconds, throttle, log)

    def _role(self, signing_key: SigningKey) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Lets the download function use its signing key and write its log",
        )
        signing_key.grant_sign(role)
        role.add_to_policy(own_log(self.log_group))
        return role

    def _api(
        self,
        routes: Sequence[str],
        public_routes: Sequence[str],
        jwt: JWTAuthorizer | None,
        timeout_seconds: int,
        throttle: apigateway.CfnStage.RouteSettingsProperty,
        log: apigateway.CfnStage.AccessLogSettingsProperty | None,
    ) -> str:
        if both := sorted(set(routes) & set(public_routes)):
            raise InputError(f"routes and public_routes both have {both[0]!r}: remove it from one of them")
        name = self.node.path.replace("/", "-")
        api = apigateway.CfnApi(self, "Api", name=name, protocol_type="HTTP", description="Signed links")
        integration = apigateway.CfnIntegration(
            self,
            "Integration",
            api_id=api.ref,
            integration_type="AWS_PROXY",
            integration_uri=self.function.function_arn,
            integration_method="POST",
            payload_format_version="2.0",
            # Longer than the function's own timeout. Otherwise the API gives up first, and no log shows why.
            timeout_in_millis=min(timeout_seconds * 1000 + 500, _LONGEST_SECONDS * 1000),
        )
        authorizer = self._authorizer(api, jwt) if jwt else None
        for number, key in enumerate((*routes, *public_routes)):
            guarded = authorizer is not None and key not in public_routes
            apigateway.CfnRoute(
                self,
                f"Route{number}",
                api_id=api.ref,
                route_key=key,
                target=f"integrations/{integration.ref}",
                authorization_type="JWT" if guarded else "NONE",
                authorizer_id=authorizer.ref if authorizer is not None and guarded else None,
            )
        apigateway.CfnStage(
            self,
            "Stage",
            api_id=api.ref,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=throttle,
            access_log_settings=log,
        )
        lambda_.CfnPermission(
            self,
            "OnlyThisApi",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="apigateway.amazonaws.com",
            source_arn=Stack.of(self).format_arn(service="execute-api", resource=api.ref, resource_name="*/*"),
        )
        return str(api.attr_api_endpoint)

    def _access_log(self, retention: logs.RetentionDays) -> apigateway.CfnStage.AccessLogSettingsProperty:
        group = logs.LogGroup(self, "AccessLog", retention=retention, removal_policy=RemovalPolicy.DESTROY)
        return apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=group.log_group_arn, format=json.dumps(_ACCESS_LOG)
        )

    def _authorizer(self, api: apigateway.CfnApi, jwt: JWTAuthorizer) -> apigateway.CfnAuthorizer:
        return apigateway.CfnAuthorizer(
            self,
            "Authorizer",
            api_id=api.ref,
            name="jwt",
            authorizer_type="JWT",
            identity_source=["$request.header.Authorization"],
            jwt_configuration=apigateway.CfnAuthorizer.JWTConfigurationProperty(
                issuer=jwt.issuer, audience=list(jwt.audiences)
            ),
        )

    def _check(
        self,
        environment: Mapping[str, str],
        signing_key: SigningKey,
        key_pair_id: str | None,
        timeout_seconds: int,
        jwt: JWTAuthorizer | None,
        address: str,
    ) -> None:
        if own := sorted(_OWN & environment.keys()):
            raise InputError(f"environment has {own[0]}: set cloudfront_domain, key_pair_id and signing_key instead")
        if private := [name for name, value in environment.items() if "PRIVATE KEY---" in value.upper()]:
            raise InputError(
                f"environment holds a private key ({private[0]}), which everybody could read: use SigningKey"
            )
        if signing_key.kms_key_arn is not None and key_pair_id is None:
            raise InputError(
                "the signing key is in KMS, which does not have the key's id in CloudFront: set key_pair_id"
            )
        if key_pair_id is not None and not Token.is_unresolved(key_pair_id):
            checked_key_pair_id(key_pair_id, "key_pair_id")
        if not 1 <= timeout_seconds <= _LONGEST_SECONDS:
            raise InputError(f"timeout_seconds is {timeout_seconds}: use 1 to {_LONGEST_SECONDS}")
        if jwt is not None and (not jwt.issuer.startswith("https://") or not jwt.audiences):
            raise InputError("jwt_authorizer needs an issuer that begins with https://, and at least one audience")
        if jwt is not None and address != "api":
            raise InputError("jwt_authorizer needs address='api': function URLs have no authorizers")
        if address not in ("api", "function_url"):
            raise InputError(f"address is {address!r}: use api or function_url")
