"""The function as it is deployed: its own package, unpacked, on Amazon's runtime client, with no other module near."""

import hashlib
import importlib.util
import json
import platform
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.keys import shared_rsa
from tests.needs import Workers
from tests.servers import Loop, Quiet, http_server

from keyfront.core.keys import SigningKey
from keyfront.local.lambdas.runtime_api import Runtime
from keyfront.packaging import Plan, build, wheels

DOMAIN = "media.example.com"
KEY_PAIR_ID = "K2JCJMDEHXQW5F"
PARAMETER = "/shop/signing-key"
PYTHON = ".".join(platform.python_version_tuple()[:2])
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
# What Lambda's own Python has beside the function.
_LAMBDAS_OWN = (
    "awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py", "boto3", "botocore", "s3transfer",
    "jmespath", "dateutil", "urllib3", "six",
)  # fmt: skip


@dataclass
class ParameterStore:
    """SSM over HTTP: one parameter, how often it was asked for, and whether it answers.

    Beside it CloudFront's public keys, and a table in DynamoDB: its entries by their keys, and the keys of each read.
    """

    url: str = ""
    value: str = ""
    error: str = ""
    asked: int = 0
    public_keys: dict[str, str] = field(default_factory=dict)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    read: list[list[str]] = field(default_factory=list)

    def handle(self, target: str, wanted: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and the answer to one call."""
        if target == "DynamoDB_20120810.BatchGetItem":
            ((table, given),) = wanted["RequestItems"].items()
            self.read.append([f"{key['pk']['S']} {key['sk']['S']}" for key in given["Keys"]])
            return 200, {"Responses": {table: [self.entries[key] for key in self.read[-1] if key in self.entries]}}
        self.asked += 1
        if self.error:
            return 400, {"__type": self.error, "message": "User: x is not authorized to perform: ssm:GetParameter"}
        if wanted["Name"] != PARAMETER:
            return 400, {"__type": "ParameterNotFound"}
        assert wanted["WithDecryption"] is True
        return 200, {"Parameter": {"Name": PARAMETER, "Type": "SecureString", "Value": self.value, "Version": 1}}


@pytest.fixture
def parameters(signer_document: str) -> Iterator[ParameterStore]:
    store = ParameterStore(value=signer_document)

    class Handler(Quiet):
        def do_POST(self) -> None:
            wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = store.handle(self.headers["X-Amz-Target"], wanted)
            self.answer(status, json.dumps(said).encode(), Content_Type="application/x-amz-json-1.1")

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            if path == "/systemsmanager/parameters/get":
                # The parameters-and-secrets extension.
                assert self.headers["X-Aws-Parameters-Secrets-Token"] == "token"
                assert parse_qs(query) == {"name": [PARAMETER], "withDecryption": ["true"]}
                status, answer = store.handle("AmazonSSM.GetParameter", {"Name": PARAMETER, "WithDecryption": True})
                return self.answer(status, json.dumps(answer).encode(), Content_Type="application/json")
            pem = store.public_keys.get(self.path.removeprefix("/2020-05-31/public-key/"))
            error = "<ErrorResponse><Error><Code>NoSuchPublicKey</Code></Error></ErrorResponse>"
            config = f"<PublicKeyConfig><EncodedKey>{pem}</EncodedKey></PublicKeyConfig>"
            said = error if pem is None else f"<PublicKey>{config}</PublicKey>"
            return self.answer(404 if pem is None else 200, said.encode(), Content_Type="text/xml")

    with http_server(Handler) as port:
        store.url = f"http://127.0.0.1:{port}"
        yield store


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    return shared_rsa()


@pytest.fixture(scope="session")
def signer_document(signing_key: SigningKey) -> str:
    return json.dumps({"key_pair_id": KEY_PAIR_ID, "private_key": signing_key.pem()})


SALES = """
import asyncio
import sys

def may_download(customer, item):
    if item == "broken":
        raise RuntimeError("postgres://user:hunter2@db/")
    if item == "odd":
        return 7
    return {("mara", "lamps"): "books/Füße & 100%.epub", ("mara", "film"): "films/harbour/index.m3u8",
            ("mara", "root"): "root.txt", ("tomas", "lamps"): False}.get((customer, item))

class Sales:
    def __init__(self):
        self.loops = set()
    async def may_download(self, customer, item):
        await asyncio.sleep(0)
        self.loops.add(id(asyncio.get_running_loop()))
        return f"{len(self.loops)}.txt" if customer == "mara" else None

slow = Sales()

def loaded(customer, item):
    return "-".join(name for name in ("boto3", "jinja2", "sqlalchemy", "http.client") if name in sys.modules) or "none"
"""


@pytest.fixture(scope="session")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mine") / "sales.py"
    path.write_text(SALES, "utf-8")
    return path


@pytest.fixture(scope="session", autouse=True)
def downloaded_once(workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """pip fetches the wheels of a plan for the first package of a run that needs them, and not for the next."""

    def download(plan: Plan, _: Path) -> list[Path]:
        def fetched() -> dict[str, str]:
            folder = tmp_path_factory.mktemp("wheels")
            wheels.download(plan, folder)
            return {"folder": str(folder)}

        wanted = f"{plan.architecture} {plan.python} {''.join(wheels.locked(plan.distributions))}"
        kept = workers.once(f"wheels-{hashlib.sha256(wanted.encode()).hexdigest()}", fetched)
        return sorted(Path(kept["folder"]).glob("*.whl"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keyfront.packaging.building.download", download)
        yield


@pytest.fixture(scope="session")
def task(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for this machine's own Python and architecture, unpacked."""
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def built(workers: Workers, sales: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With bytecode, which is half of a container's start; `benchmarks/lambdas.py` runs a package without it."""

    def made() -> dict[str, str]:
        out = tmp_path_factory.mktemp("package") / "function.zip"
        return {"path": str(build(Plan(ARCHITECTURE, PYTHON, includes=(sales,), bytecode=True), out).path)}

    return Path(workers.once("lambda-package", made)["path"])


@pytest.fixture(scope="session")
def lambdas_own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda's Python can import without the package; of this environment nothing else."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in _LAMBDAS_OWN:
        found = importlib.util.find_spec(name)
        assert found is not None, name
        assert found.origin is not None, name
        origin = Path(found.origin)
        origin = origin.parent if origin.name == "__init__.py" else origin
        (folder / origin.name).symlink_to(origin)
    return folder


class Container:
    """One process of the function, and what it wrote."""

    def __init__(self, runtime: Runtime, loop: Loop, written: bytearray) -> None:
        self._runtime = runtime
        self._loop = loop
        self._written = written

    def __call__(self, event: object) -> dict[str, Any]:
        """The function's answer to an event."""
        payload = json.dumps(event).encode()
        outcome = self._loop.run(self._runtime.invoke(payload, timeout=30))
        assert outcome.error_type is None, outcome.payload.decode()
        answer: dict[str, Any] = json.loads(outcome.payload)
        return answer

    @property
    def text(self) -> str:
        """Everything it wrote."""
        return self._written.decode()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its structured lines."""
        return [json.loads(line) for line in self.text.splitlines() if line.startswith("{")]

    @property
    def messages(self) -> str:
        """What its log lines say."""
        return "\n".join(line["message"] for line in self.lines if "message" in line)

    def metric(self, name: str) -> list[dict[str, Any]]:
        """The metric's entries."""
        return [line for line in self.lines if "_aws" in line and name in line]


Start = Callable[..., Container]


@pytest.fixture
def start(task: Path, lambdas_own: Path, parameters: ParameterStore) -> Iterator[Start]:
    """Starts a container with these variables beside those that every test's has; `None` leaves one out."""
    loop = Loop()
    running: list[Runtime] = []

    def started(**variables: str | None) -> Container:
        common = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(lambdas_own),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_LAMBDA_FUNCTION_NAME": "downloads",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "token",
            "AWS_ENDPOINT_URL": parameters.url,
            "CLOUDFRONT_DOMAIN": DOMAIN,
            "PRIVATE_KEY_PARAMETER": PARAMETER,
            "KEYFRONT_ENTITLEMENTS": "sales:may_download",
        }
        environment: Mapping[str, str] = {
            name: value for name, value in (common | variables).items() if value is not None
        }
        written = bytearray()
        # Without site-packages: what the package lacks must be missed.
        command = [sys.executable, "-S", "-m", "awslambdaric", "keyfront.backend.aws_lambda.handler"]
        runtime = loop.run(Runtime.start(command, directory=task, environment=environment, log=written.extend))
        running.append(runtime)
        return Container(runtime, loop, written)

    yield started
    for runtime in running:
        loop.run(runtime.stop())
    loop.close()


@dataclass(frozen=True)
class Events:
    """Requests in the four forms."""

    @staticmethod
    def http(path: str, method: str = "GET", *, claims: Any = None, stage: str = "$default", **more: Any) -> Any:
        """HTTP API, payload 2.0; a function URL's are the same."""
        context: dict[str, Any] = {"http": {"method": method, "path": path, "sourceIp": "192.0.2.7"}, "stage": stage}
        if claims is not None:
            context["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
        return {
            "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {"host": "api.example.com"},
            "requestContext": context, "isBase64Encoded": False,
        } | more  # fmt: skip

    @staticmethod
    def rest(path: str, method: str = "GET", *, claims: Any = None, **more: Any) -> Any:
        """REST API, payload 1.0."""
        headers = {"Host": ["api.example.com"]} | more.pop("many", {})
        context = {"stage": "live", "identity": {"sourceIp": "192.0.2.7"}, "path": f"/live{path}"}
        if claims is not None:
            context["authorizer"] = {"claims": claims}
        return {
            "resource": "/{proxy+}", "path": path, "httpMethod": method, "requestContext": context, "body": None,
            "headers": {name: values[-1] for name, values in headers.items()}, "multiValueHeaders": headers,
            "isBase64Encoded": False,
        } | more  # fmt: skip

    @staticmethod
    def balancer(path: str, method: str = "GET", *, many: bool = False, headers: Any = None, **more: Any) -> Any:
        """Application Load Balancer, with or without multi-value headers."""
        given = {"host": "api.example.com"} | (headers or {})
        told = {"multiValueHeaders": {name: [value] for name, value in given.items()}} if many else {"headers": given}
        context = {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/x/1"}}
        return {
            "path": path, "httpMethod": method, "requestContext": context, "body": "", "isBase64Encoded": False,
        } | told | more  # fmt: skip


@pytest.fixture(scope="session")
def events() -> Events:
    return Events()


@pytest.fixture
def shared(start: Start) -> Container:
    """A container with nothing special about it."""
    return start()
