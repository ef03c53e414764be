"""Functions on the endpoint: deployed with boto3, run on Amazon's runtime client, answered as Lambda answers."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import boto3
import pytest
from tests.local.aws.functions import zipped
from tests.waiting import wait_until

_ROLE = "arn:aws:iam::123456789012:role/runs"


@dataclass(frozen=True)
class Lambda:
    """Lambda's API, with what the tests do with it."""

    api: Any
    logs: Any

    def deploy(self, source: str, name: str = "shop", **settings: Any) -> Any:
        """A Python function whose module is `app`."""
        given = {"Runtime": "python3.12", "Role": _ROLE, "Handler": "app.handler", **settings}
        code = given.pop("Code", None) or {"ZipFile": zipped({"app.py": source})}
        return self.api.create_function(FunctionName=name, Code=code, **given)

    def call(self, event: Any = None, name: str = "shop", **settings: Any) -> tuple[Any, str | None]:
        """The payload, and what `FunctionError` says."""
        answer = self.api.invoke(FunctionName=name, Payload=json.dumps(event or {}), **settings)
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def lines(self, group: str = "/aws/lambda/shop") -> list[str]:
        """What is in the log, of all streams."""
        return [event["message"] for event in self.logs.filter_log_events(logGroupName=group)["events"]]


def _create_role(endpoint: Any) -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    endpoint.client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=document)


@pytest.fixture
def functions(endpoint: Any) -> Lambda:
    _create_role(endpoint)
    return Lambda(endpoint.client("lambda"), endpoint.client("logs"))


_ECHO = """
import os
calls = 0
def handler(event, context):
    global calls
    calls += 1
    print("called with", event)
    return {"event": event, "calls": calls, "pid": os.getpid(), "arn": context.invoked_function_arn,
            "version": context.function_version, "left": context.get_remaining_time_in_millis()}
"""


def test_an_event_goes_in_and_the_answer_comes_back(functions: Lambda) -> None:
    arn = functions.deploy(_ECHO)["FunctionArn"]
    answer = functions.api.invoke(FunctionName="shop", Payload=b'{"item": "album"}', LogType="Tail")
    said = json.loads(answer["Payload"].read())
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert (said["event"], said["arn"], said["version"]) == ({"item": "album"}, arn, "$LATEST")
    assert 0 < said["left"] <= 3000
    log = base64.b64decode(answer["LogResult"]).decode()
    assert "called with {'item': 'album'}\n" in log
    assert f"START RequestId: {answer['ResponseMetadata']['RequestId']} Version: $LATEST\n" in log


def test_a_process_begins_cold_and_stays_warm(functions: Lambda) -> None:
    functions.deploy(_ECHO)
    first, second = functions.call()[0], functions.call()[0]
    assert (first["calls"], second["calls"]) == (1, 2)
    assert first["pid"] == second["pid"]
    reports = [line for line in functions.lines() if line.startswith("REPORT")]
    assert ["Init Duration" in report for report in reports] == [True, False]
    assert all("Memory Size: 128 MB\tMax Memory Used: " in report for report in reports)


def test_what_it_writes_is_in_its_log_group_in_lambdas_order(functions: Lambda) -> None:
    functions.deploy(
        "print('cold')\ndef handler(event, context):\n    print('warm')", LoggingConfig={"LogGroup": "mine"}
    )
    functions.call()
    lines = functions.lines("mine")
    assert [line.split(" ")[0] for line in lines] == ["INIT_START", "cold", "START", "warm", "END", "REPORT"]


def test_a_json_log_has_the_platforms_records(functions: Lambda) -> None:
    functions.deploy(_ECHO, LoggingConfig={"LogFormat": "JSON"})
    functions.call()
    records = [json.loads(line) for line in functions.lines() if line.startswith('{"time"')]
    assert [record["type"] for record in records] == ["platform.initStart", "platform.start", "platform.report"]
    assert records[2]["record"]["status"] == "success"


def test_an_exception_is_a_function_error_and_the_process_stays(functions: Lambda) -> None:
    functions.deploy(
        "import os\ndef handler(event, _):\n    if event: raise ValueError('no such item')\n    return os.getpid()"
    )
    before, _ = functions.call()
    said, error = functions.call({"item": 1})
    assert (error, said["errorType"], said["errorMessage"]) == ("Unhandled", "ValueError", "no such item")
    assert any("[ERROR] ValueError: no such item\nTraceback" in line for line in functions.lines())
    assert functions.call() == (before, None)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_a_crash_is_told_as_lambda_tells_it_and_the_next_call_gets_a_fresh_process(
    functions: Lambda, code: str, message: str
) -> None:
    functions.deploy(f"import os\ndef handler(event, context):\n    if event: {code}\n    return os.getpid()")
    before, _ = functions.call()
    said, error = functions.call({"crash": True})
    assert (error, said["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert said["errorMessage"].endswith(f" Error: {message}")
    assert any("Status: error\tError Type: Runtime.ExitError" in line for line in functions.lines())
    after, error = functions.call()
    assert (after != before, error) == (True, None)


def test_a_function_that_takes_too_long_is_ended(functions: Lambda) -> None:
    source = "import os, time\ndef handler(event, context):\n    if event: time.sleep(60)\n    return os.getpid()"
    functions.deploy(source, Timeout=1)
    before, _ = functions.call()
    said, error = functions.call({"sleep": True})
    assert (error, said["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert said["errorMessage"].endswith(" Error: Task timed out after 1.00 seconds")
    assert any(line.rstrip().endswith("Task timed out after 1.00 seconds") for line in functions.lines())
    assert wait_until(lambda: not _runs(before))
    assert functions.call()[0] != before


def test_a_function_that_takes_too_much_memory_is_ended(functions: Lambda) -> None:
    functions.deploy(
        "held = []\ndef handler(event, context):\n    while True: held.append(b'x' * 2_000_000)", Timeout=20
    )
    said, error = functions.call()
    assert (error, said["errorType"]) == ("Unhandled", "Runtime.OutOfMemory")
    assert said["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert any("Max Memory Used: 128 MB" in line for line in functions.lines())


@pytest.mark.parametrize(
    ("source", "handler", "kind"),
    [
        ("import nothing_like_it", "app.handler", "Runtime.ImportModuleError"),
        ("def handler(:", "app.handler", "Runtime.UserCodeSyntaxError"),
        ("x = 1", "app.handler", "Runtime.HandlerNotFound"),
        ("x = 1", "handler", "Runtime.MalformedHandlerName"),
        ("raise RuntimeError('not configured')", "app.handler", "RuntimeError"),
    ],
)
def test_a_handler_that_cannot_be_loaded_says_why(functions: Lambda, source: str, handler: str, kind: str) -> None:
    functions.deploy(source, Handler=handler)
    said, error = functions.call()
    assert (error, said["errorType"]) == ("Unhandled", kind)
    assert functions.call()[1] == "Unhandled"


def test_new_code_and_new_configuration_get_new_processes(functions: Lambda) -> None:
    functions.deploy("import os\ndef handler(event, context):\n    return [1, os.environ.get('MODE')]")
    assert functions.call()[0] == [1, None]
    functions.api.update_function_configuration(FunctionName="shop", Environment={"Variables": {"MODE": "link"}})
    assert functions.call()[0] == [1, "link"]
    source = "import os\ndef handler(event, context):\n    return [2, os.environ.get('MODE')]"
    functions.api.update_function_code(FunctionName="shop", ZipFile=zipped({"app.py": source}))
    assert functions.call()[0] == [2, "link"]
    functions.api.delete_function(FunctionName="shop")
    with pytest.raises(functions.api.exceptions.ResourceNotFoundException):
        functions.call()


def test_a_version_and_an_alias_run_the_code_that_they_name(functions: Lambda) -> None:
    functions.deploy("def handler(event, context): return [1, context.function_version]", Publish=True)
    source = "def handler(event, context): return [2, context.invoked_function_arn.split(':', 6)[6]]"
    functions.api.create_alias(FunctionName="shop", Name="live", FunctionVersion="1")
    functions.api.update_function_code(FunctionName="shop", ZipFile=zipped({"app.py": source}))
    assert functions.call()[0] == [2, "shop"]
    assert functions.call(Qualifier="1")[0] == [1, "1"]
    assert functions.call(Qualifier="live")[0] == [1, "1"]
    assert functions.call(name="shop:live")[0] == [1, "1"]
    with pytest.raises(functions.api.exceptions.ResourceNotFoundException):
        functions.call(Qualifier="7")


def test_calls_at_once_have_processes_of_their_own_up_to_the_reserved_number(functions: Lambda, tmp_path: Path) -> None:
    source = (
        "import os, time, pathlib\ndef handler(event, context):\n    here = pathlib.Path(event['here'])\n"
        "    (here / str(os.getpid())).touch()\n    while not (here / 'go').exists(): time.sleep(0.01)\n"
        "    return os.getpid()"
    )
    functions.deploy(source, Timeout=20)
    functions.api.put_function_concurrency(FunctionName="shop", ReservedConcurrentExecutions=2)
    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(functions.call, {"here": str(tmp_path)}) for _ in range(2)]
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        with pytest.raises(functions.api.exceptions.TooManyRequestsException) as refused:
            functions.call({"here": str(tmp_path)})
        assert refused.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        (tmp_path / "go").touch()
        assert len({future.result()[0] for future in running}) == 2


def test_an_event_that_nobody_waits_for_is_run_all_the_same(functions: Lambda, tmp_path: Path) -> None:
    functions.deploy("import pathlib\ndef handler(event, context): pathlib.Path(event['mark']).touch()")
    event = json.dumps({"mark": str(tmp_path / "mark")})
    assert functions.api.invoke(FunctionName="shop", InvocationType="DryRun", Payload=event)["StatusCode"] == 204
    assert not (tmp_path / "mark").exists()
    assert functions.api.invoke(FunctionName="shop", InvocationType="Event", Payload=event)["StatusCode"] == 202
    wait_until((tmp_path / "mark").exists)


def test_a_malformed_call_is_refused_before_anything_runs(functions: Lambda) -> None:
    functions.deploy(_ECHO)
    with pytest.raises(functions.api.exceptions.InvalidRequestContentException):
        functions.api.invoke(FunctionName="shop", Payload=b"{")
    with pytest.raises(functions.api.exceptions.RequestTooLargeException):
        functions.api.invoke(FunctionName="shop", Payload=b'"' + b"x" * 6 * 1024 * 1024 + b'"')


def test_an_answer_that_is_too_long_is_none(functions: Lambda) -> None:
    functions.deploy("def handler(event, context): return 'x' * 7_000_000")
    said, error = functions.call()
    assert (error, said["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")


def test_the_environment_is_lambdas_and_its_owners_and_nothing_of_this_machines(
    functions: Lambda, endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "1")
    functions.deploy(
        "import os\ndef handler(event, context): return dict(os.environ)", Environment={"Variables": {"A": "b"}}
    )
    given, _ = functions.call()
    assert given["A"] == "b"
    assert given["AWS_ENDPOINT_URL"] == endpoint.url
    assert given["AWS_LAMBDA_FUNCTION_NAME"] == "shop"
    assert given["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/shop"
    assert given["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert "SECRET_OF_THE_HOST" not in given
    assert given["HOME"] != os.environ.get("HOME")


def test_it_calls_this_endpoint_as_its_role(functions: Lambda, endpoint: Any) -> None:
    endpoint.client("ssm").put_parameter(Name="/shop/key", Value="held", Type="SecureString")
    source = (
        "import boto3\ndef handler(event, context):\n"
        "    value = boto3.client('ssm').get_parameter(Name='/shop/key', WithDecryption=True)['Parameter']['Value']\n"
        "    return [value, boto3.client('sts').get_caller_identity()['Arn']]"
    )
    functions.deploy(source, Timeout=20, MemorySize=256)
    assert functions.call() == (["held", "arn:aws:sts::123456789012:assumed-role/runs/shop"], None)


def test_layers_are_on_the_path(functions: Lambda) -> None:
    made = functions.api.publish_layer_version(
        LayerName="prices", Content={"ZipFile": zipped({"python/prices.py": "ALBUM = 9"})}
    )
    source = "import prices\ndef handler(event, context): return prices.ALBUM"
    functions.deploy(source, Layers=[made["LayerVersionArn"]])
    assert functions.call() == (9, None)


@pytest.mark.parametrize("name", ["../outside.py", "/outside.py", "a/../../outside.py", "..\\outside.py"])
def test_a_package_that_writes_outside_of_its_folder_is_not_unpacked(functions: Lambda, name: str) -> None:
    functions.deploy("", Code={"ZipFile": zipped({"app.py": "", name: ""})})
    with pytest.raises(functions.api.exceptions.InvalidZipFileException, match="outside"):
        functions.call()


def test_a_link_that_leads_outside_of_the_package_is_not_unpacked(functions: Lambda) -> None:
    held, link = io.BytesIO(), ZipInfo("key")
    link.external_attr = 0o120777 << 16
    with ZipFile(held, "w") as package:
        package.writestr(link, "/etc/passwd")
    functions.deploy("", Code={"ZipFile": held.getvalue()})
    with pytest.raises(functions.api.exceptions.InvalidZipFileException, match="link that leads outside"):
        functions.call()


def test_a_runtime_that_is_not_here_says_so(functions: Lambda) -> None:
    functions.deploy(_ECHO, Runtime="java21")
    with pytest.raises(functions.api.exceptions.InvalidRuntimeException, match="Runtime java21 cannot run here"):
        functions.call()


_NODE = """
import { readFileSync } from "node:fs";
let calls = 0;
export async function handler(event, context) {
  calls += 1;
  console.log("called with %j", event);
  if (event.fail) throw new TypeError("no such item");
  if (event.exit) process.exit(4);
  if (event.stray) {
    setTimeout(() => { throw new Error("stray"); }, 1);
    await new Promise(() => setTimeout(() => {}, 9000));
  }
  return { event, calls, name: context.functionName, left: context.getRemainingTimeInMillis() > 0 };
}
"""


def test_a_node_function_runs_on_the_node_that_is_here(functions: Lambda, need_tool: Callable[[str], Path]) -> None:
    need_tool("node")
    functions.deploy("", Runtime="nodejs22.x", Handler="index.handler", Code={"ZipFile": zipped({"index.mjs": _NODE})})
    assert functions.call({"é": 1})[0] == {"event": {"é": 1}, "calls": 1, "name": "shop", "left": True}
    said, error = functions.call({"fail": True})
    assert (error, said["errorType"], said["errorMessage"]) == ("Unhandled", "TypeError", "no such item")
    assert functions.call()[0]["calls"] == 3
    said, error = functions.call({"exit": True})
    assert (error, said["errorType"]) == ("Unhandled", "Runtime.ExitError")
    said, error = functions.call({"stray": True})
    assert (error, said["errorMessage"]) == ("Unhandled", "stray")
    assert functions.call()[0]["calls"] == 1
    assert any('\tINFO\tcalled with {"é":1}' in line for line in functions.lines())


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        ("index.other", "Runtime.HandlerNotFound"),
        ("nothing.handler", "Runtime.ImportModuleError"),
        ("broken.handler", "Runtime.UserCodeSyntaxError"),
        ("needy.handler", "Runtime.ImportModuleError"),
    ],
)
def test_a_node_handler_that_cannot_be_loaded_says_why(
    functions: Lambda, need_tool: Callable[[str], Path], handler: str, kind: str
) -> None:
    need_tool("node")
    files = {"index.mjs": _NODE, "broken.mjs": "export const handler = (", "needy.mjs": 'import "not-installed";'}
    functions.deploy("", Runtime="nodejs22.x", Handler=handler, Code={"ZipFile": zipped(files)})
    said, error = functions.call()
    assert (error, said["errorType"]) == ("Unhandled", kind)


def _runs(pid: int) -> bool:
    """Whether a process runs; one that waits for its parent to take note of its end does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.fixture
def own_endpoint(start_endpoint: Callable[..., Any]) -> Iterator[Any]:
    one = start_endpoint()
    yield one
    one.endpoint.reset()


def test_processes_end_with_the_endpoint(own_endpoint: Any) -> None:
    _create_role(own_endpoint)
    functions = Lambda(own_endpoint.client("lambda"), own_endpoint.client("logs"))
    functions.deploy("import os\ndef handler(event, context): return os.getpid()")
    pid, _ = functions.call()
    assert _runs(pid)
    own_endpoint.stop().result(30)
    wait_until(lambda: not _runs(pid))


def test_a_kept_state_has_the_functions_and_not_their_processes(functions: Lambda, endpoint: Any) -> None:
    from keyfront.local.aws import pickling

    functions.deploy(_ECHO)
    url = functions.api.create_function_url_config(FunctionName="shop", AuthType="NONE")["FunctionUrl"]
    before, _ = functions.call()
    kept, _ = pickling.dump(pickling.services().keys())
    endpoint.endpoint.reset()
    pickling.load(kept)
    after, error = functions.call()
    assert (after["calls"], error) == (1, None)
    assert after["pid"] != before["pid"]
    assert functions.api.get_function_url_config(FunctionName="shop")["FunctionUrl"] == url


_ALONE = """
import asyncio
from keyfront.web.serving import Listener, bind
from keyfront.local.aws import Endpoint

async def serve():
    listener = Listener(Endpoint(None), bind("127.0.0.1", 0))
    listener.start()
    print(listener.port, flush=True)
    await asyncio.Event().wait()

asyncio.run(serve())
"""


@dataclass(frozen=True)
class _Killed:
    """What `_create_role` and `Lambda` need of an endpoint that is a process of its own."""

    url: str

    def client(self, service: str) -> Any:
        session = boto3.Session("test", "test", region_name="us-east-1")
        return session.client(service, endpoint_url=self.url)  # type: ignore[call-overload]


@pytest.mark.large
def test_a_busy_function_does_not_outlive_an_endpoint_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _ALONE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        endpoint = _Killed(f"http://127.0.0.1:{process.stdout.readline().strip()}")
        _create_role(endpoint)
        functions = Lambda(endpoint.client("lambda"), endpoint.client("logs"))
        source = (
            "import os, pathlib\ndef handler(event, context):\n"
            "    pathlib.Path(event['mark']).write_text(str(os.getpid()))\n    while True: pass"
        )
        functions.deploy(source, Timeout=60)
        mark = tmp_path / "mark"
        event = json.dumps({"mark": str(mark)})
        functions.api.invoke(FunctionName="shop", InvocationType="Event", Payload=event)
        pid = int(wait_until(lambda: mark.exists() and mark.read_text()))
        assert _runs(pid)
        process.kill()
    wait_until(lambda: not _runs(pid))
