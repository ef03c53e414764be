"""All AWS services except CloudFront: moto, in this process."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from keyfront.errors import InputError, ServiceError
from keyfront.local.aws.addressing import signed_service
from keyfront.local.aws.bridge import Environ
from keyfront.local.aws.content_folder import root_of
from keyfront.local.aws.mutations import may_change, must_be_kept
from keyfront.local.aws.responses import AWSError, RefusedError
from keyfront.local.aws.service_models import failure
from keyfront.local.aws.services_state import ServicesState
from keyfront.local.controlplane import ControlPlane
from keyfront.local.lambdas.function_runner import FunctionRunner

if TYPE_CHECKING:
    from moto.s3.models import FakeBucket

T = TypeVar("T")


class Services:
    """A WSGI application. Its state is moto's, which belongs to the process, not to this object."""

    def __init__(
        self,
        *,
        moto_api: bool = False,
        enforce_iam: bool = False,
        node_sdk: Path | None = None,
        state: ServicesState | None = None,
        plane: ControlPlane | None = None,
    ) -> None:
        """Create the application.

        - `moto_api` opens moto's own controls under `/moto-api/` to every caller.
        - `enforce_iam` checks the policies of callers with credentials that this endpoint issued: see `enforcement`.
        - `node_sdk` is a folder with Amazon's clients for Node.js functions. Raises `InputError` without them.
        - `state` loads and saves moto's state.
        - `plane` has the CloudFront resources for requests to other services.
        """
        self._moto_api, self._enforce_iam, self._plane = moto_api, enforce_iam, plane
        self._state = state
        self.functions = FunctionRunner(self.perform, enforce_iam=enforce_iam, node_sdk=node_sdk)
        self._lock = Lock()
        self._application: Any = None

    def load(self) -> None:
        """Import moto, which takes half a second of CPU time. If not called, the first request does it.

        Raises `InputError` if the saved state cannot be restored.
        """
        with self._lock:
            if self._application is None:
                from keyfront.local.aws.moto_import import lightly

                with lightly():
                    from keyfront.local.aws.dispatcher import Dispatcher

                application = Dispatcher(
                    self.functions, moto_api=self._moto_api, enforce_iam=self._enforce_iam, plane=self._plane
                )
                if self._state:
                    self._state.load()
                self._application = application

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if self._application is None:
            self.load()
        if self._state is None:
            answer: Iterable[bytes] = self._application(environ, start_response)
            return answer
        if must_be_kept(environ):
            self._admit(self._state, environ)
        with self._state.request(changes=may_change(environ)):
            # Flask handles the request only when the body is read.
            return list(self._application(environ, start_response))

    def _admit(self, state: ServicesState, environ: Environ) -> None:
        try:
            state.admit(int(environ["CONTENT_LENGTH"]))
        except ServiceError as error:
            service = signed_service(environ.get("HTTP_AUTHORIZATION", ""), environ["QUERY_STRING"].encode("latin-1"))
            code, status = failure(service or "s3")
            raise RefusedError(AWSError(status, code, str(error))) from None

    def perform(self, work: Callable[[], T], *, changes: bool) -> T:
        """Run `work` on moto's state, as a request does. `changes`: whether it may change something. Blocks.

        It runs even if a change cannot be saved, because no client relies on it.
        """
        self.load()
        with self._state.request(changes=changes) if self._state else nullcontext():
            return work()

    def publish_folder(self, bucket: str, folder: Path, prefix: str, headers: Mapping[str, str]) -> list[str]:
        """See `Endpoint.publish_folder`."""
        root = root_of(folder)
        from keyfront.local.aws.publication import publish

        return self.perform(lambda: publish(_bucket(bucket), root, prefix, headers), changes=True)

    def reset(self) -> None:
        """Delete all resources of all services."""
        self.load()
        from moto.moto_api._internal.models import moto_api_backend

        moto_api_backend.reset()


def _bucket(name: str) -> "FakeBucket":
    from moto.s3.models import s3_backends

    try:
        partition, account = s3_backends.bucket_accounts[name]
    except KeyError:
        raise InputError(f"there is no bucket {name!r} for the folder; create it first") from None
    return s3_backends[account][partition].get_bucket(name)
