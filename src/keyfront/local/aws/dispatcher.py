"""Finds the moto service that a request is for. The modules that this one imports take most of a second to load."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs

import moto.moto_server.werkzeug_app as moto_server
from moto.backends import list_of_moto_modules
from moto.core.utils import convert_to_flask_response
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from keyfront.local.aws import (
    background,
    enforcement,
    http_apis,
    lambda_configuration,
    parameters,
    resource_groups,
    s3,
)
from keyfront.local.aws.addressing import signed_service
from keyfront.local.aws.bridge import Environ, WSGIApplication
from keyfront.local.aws.responses import AWSError, RefusedError
from keyfront.local.aws.web import hosts
from keyfront.local.cloudformation import custom_resources, stacks
from keyfront.local.controlplane import ControlPlane
from keyfront.local.lambdas import calls
from keyfront.local.lambdas.function_runner import FunctionRunner

# CloudFront is ours: moto's has none of its rules, and would answer whatever it is asked.
_NEVER: Final = "cloudfront"
# moto's own controls can empty every service, and hand out what was sent to it.
_CONTROLS: Final = "moto_api"
_CLOSED: Final = AWSError(404, "NotFound", "moto's own controls are closed at this endpoint.")


class Dispatcher(DomainDispatcherApplication):
    """moto's dispatcher without the services that it must not serve, and with an error for unknown ones."""

    def __init__(
        self,
        runner: FunctionRunner,
        *,
        moto_api: bool = False,
        enforce_iam: bool = False,
        plane: ControlPlane | None = None,
    ) -> None:
        """`runner` runs functions, `moto_api` opens `/moto-api/`, `plane` has CloudFront resources to tag.

        `enforce_iam`: see `enforcement`.
        """
        self._runner, self._moto_api, self._plane = runner, moto_api, plane
        self._enforce_iam = enforce_iam
        # Every page of every site may read the answers otherwise, SSM's and KMS's included.
        moto_server.DISABLE_GLOBAL_CORS = True  # type: ignore[attr-defined]
        background.install()
        s3.install()
        stacks.install()
        lambda_configuration.install()
        calls.install()
        enforcement.install()
        http_apis.install()
        parameters.install()
        resource_groups.install()
        super().__init__(self._create)

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        """Answer one request."""
        resource_groups.use(self._plane)
        calls.use(self._runner)
        enforcement.use(self._enforce_iam)
        hosts.use(environ.get("HTTP_HOST", ""))
        if environ["PATH_INFO"].startswith(custom_resources.PATH):
            return custom_resources.take(environ, start_response)
        return super().__call__(environ, start_response)

    def get_backend_for_host(self, host: str | None) -> Any:
        """moto's look-up, less the line that it prints to the user's terminal for a service it does not have."""
        if host is None or host == _CONTROLS or host in _modules():
            return host
        url = f"http://{host}"
        return next((backend for backend, pattern in self.backend_url_patterns if pattern.match(url)), None)

    def infer_service_region_host(self, environ: Environ, path: str) -> str | None:
        """moto's, which knows the scope in a header; that of a presigned URL is in the query."""
        query = parse_qs(environ["QUERY_STRING"])
        if "HTTP_AUTHORIZATION" not in environ and (credential := query.get("X-Amz-Credential")):
            environ = {**environ, "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={credential[0]},"}
        host: str | None = super().infer_service_region_host(environ, path)
        # It reads a body that may be a form, and does not put back what is none: a presigned upload by curl.
        environ["wsgi.input"].seek(0)
        return host

    def _create(self, service: Any) -> Any:
        if service == _CONTROLS and not self._moto_api:
            return _refusing(lambda _: _CLOSED)
        if service is None or service == _NEVER:
            return _refusing(_unknown)
        application = create_backend_app(service)
        if service == "s3":
            for endpoint, view in application.view_functions.items():
                # Each view is named after the method of moto's class that it calls.
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
    asked = f"There is no service {service!r}" if service else "The request is for no service"
    return AWSError(501, "NotImplemented", f"{asked} at this endpoint.")
