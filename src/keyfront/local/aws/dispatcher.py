"""Finds the moto service for a request. The modules that it imports take most of a second to load."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs

import moto.moto_server.werkzeug_app as moto_server
from moto.backends import list_of_moto_modules
from moto.core.utils import convert_to_flask_response
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from keyfront.local.aws import (
    athena,
    background,
    enforcement,
    http_apis,
    iam_policies,
    kms,
    lambda_configuration,
    log_groups,
    parameters,
    resource_groups,
    rest_apis,
    s3,
)
from keyfront.local.aws.addressing import signed_service
from keyfront.local.aws.bridge import Environ, WSGIApplication
from keyfront.local.aws.responses import AWSError, RefusedError
from keyfront.local.aws.web import hosts
from keyfront.local.cloudformation import RESPONSE_PATH
from keyfront.local.controlplane import ControlPlane
from keyfront.local.lambdas import calls
from keyfront.local.lambdas.function_runner import FunctionRunner

# keyfront serves CloudFront itself. moto's version does not have the rules, and accepts everything.
_NEVER: Final = "cloudfront"
# moto's own controls can delete everything, and show recorded requests.
_CONTROLS: Final = "moto_api"
_CLOSED: Final = AWSError(404, "NotFound", "moto's own controls are closed at this endpoint.")


class Dispatcher(DomainDispatcherApplication):
    """moto's dispatcher, without the services that it must not serve. Unknown services get an error."""

    def __init__(
        self,
        runner: FunctionRunner,
        *,
        moto_api: bool = False,
        enforce_iam: bool = False,
        plane: ControlPlane | None = None,
    ) -> None:
        """Create the dispatcher.

        `runner` runs functions, `moto_api` opens `/moto-api/`, and `plane` has CloudFront's resources for tags.
        `enforce_iam`: see `enforcement`.
        """
        self._runner, self._moto_api, self._plane = runner, moto_api, plane
        self._enforce_iam = enforce_iam
        # Otherwise pages of every site could read all responses, even those of SSM and KMS.
        moto_server.DISABLE_GLOBAL_CORS = True  # type: ignore[attr-defined]
        athena.install()
        background.install()
        s3.install()
        lambda_configuration.install()
        calls.install()
        enforcement.install()
        http_apis.install()
        iam_policies.install()
        kms.install()
        log_groups.install()
        parameters.install()
        resource_groups.install()
        rest_apis.install()
        super().__init__(self._create)

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        """Answer one request."""
        resource_groups.use(self._plane)
        calls.use(self._runner)
        enforcement.use(self._enforce_iam)
        hosts.use(environ.get("HTTP_HOST", ""))
        if environ["PATH_INFO"].startswith(RESPONSE_PATH):
            from keyfront.local.cloudformation.kinds import custom_resources

            return custom_resources.take(environ, start_response)
        return super().__call__(environ, start_response)

    def get_backend_for_host(self, host: str | None) -> Any:
        """Look up the backend as moto does, but print nothing to the terminal for an unknown service."""
        if host is None or host == _CONTROLS or host in _modules():
            return host
        url = f"http://{host}"
        return next((backend for backend, pattern in self.backend_url_patterns if pattern.match(url)), None)

    def infer_service_region_host(self, environ: Environ, path: str) -> str | None:
        """Find the host as moto does, but also for presigned URLs, which have the scope in the query."""
        query = parse_qs(environ["QUERY_STRING"])
        if "HTTP_AUTHORIZATION" not in environ and (credential := query.get("X-Amz-Credential")):
            environ = {**environ, "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={credential[0]},"}
        host: str | None = super().infer_service_region_host(environ, path)
        # moto reads the body as a form, and loses it if it is not one, as in a presigned upload by curl.
        environ["wsgi.input"].seek(0)
        return host

    def _create(self, service: Any) -> Any:
        if service == _CONTROLS and not self._moto_api:
            return _refusing(lambda _: _CLOSED)
        if service is None or service == _NEVER:
            return _refusing(_unknown)
        if service == "cloudformation":
            # It imports boto3's clients, so it is loaded only when it is used.
            from keyfront.local.cloudformation import api

            return api.application()
        application = create_backend_app(service)
        if service == "s3":
            for endpoint, view in application.view_functions.items():
                # Each view has the name of the method of moto's class that it calls.
                handler = getattr(s3.S3, view.__name__.rpartition(".")[2])
                application.view_functions[endpoint] = convert_to_flask_response(handler)
        return application


@cache
def _modules() -> frozenset[str]:
    return frozenset(list_of_moto_modules())


def _refusing(why: Callable[[Environ], AWSError]) -> WSGIApplication:
    def refuse(environ: Environ, _: object) -> Iterable[bytes]:
        raise RefusedError(why(environ))

    return refuse


def _unknown(environ: Environ) -> AWSError:
    service = signed_service(environ.get("HTTP_AUTHORIZATION", ""), environ["QUERY_STRING"].encode("latin-1"))
    asked = f"The service {service!r} does not exist" if service else "The request names no service that exists"
    return AWSError(501, "NotImplemented", f"{asked} at this endpoint.")
