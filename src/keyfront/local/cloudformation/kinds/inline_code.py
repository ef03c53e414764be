"""The package of a function whose code is text in the template.

CloudFormation adds a module to it with which custom resources send their results. Source: Template Reference,
"cfn-response module". The modules here do the same, over the URL's own protocol and port.
"""

import io
import zipfile
from typing import Final

_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""A fixed date, so that the same text is the same package."""
_PYTHON: Final = '''"""Sends the result of a custom resource."""
import json
import urllib.request

SUCCESS = "SUCCESS"
FAILED = "FAILED"


def send(event, context, responseStatus, responseData, physicalResourceId=None, noEcho=False, reason=None):
    log = f"See the details in CloudWatch Log Stream: {context.log_stream_name}"
    answer = {
        "Status": responseStatus,
        "Reason": reason or log,
        "PhysicalResourceId": physicalResourceId or context.log_stream_name,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": noEcho,
        "Data": responseData,
    }
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""})
    urllib.request.urlopen(request, timeout=30).read()
'''
_NODE: Final = """// Sends the result of a custom resource.
exports.SUCCESS = "SUCCESS";
exports.FAILED = "FAILED";

exports.send = (event, context, responseStatus, responseData, physicalResourceId, noEcho) =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify({
      Status: responseStatus,
      Reason: `See the details in CloudWatch Log Stream: ${context.logStreamName}`,
      PhysicalResourceId: physicalResourceId || context.logStreamName,
      StackId: event.StackId,
      RequestId: event.RequestId,
      LogicalResourceId: event.LogicalResourceId,
      NoEcho: noEcho || false,
      Data: responseData,
    });
    const url = new URL(event.ResponseURL);
    const headers = { "content-type": "", "content-length": Buffer.byteLength(body) };
    const client = require(url.protocol === "http:" ? "node:http" : "node:https");
    const asked = client.request(url, { method: "PUT", headers }, (answer) => {
      answer.resume();
      answer.on("end", () => {
        if (context.done) context.done();
        resolve();
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
"""


def inline_package(text: str, runtime: str) -> bytes:
    """Return the zip file of the code, with the module for results if the code names it."""
    node = runtime.startswith("nodejs")
    files = {f"index.{'js' if node else 'py'}": text}
    if node and "cfn-response" in text:
        files["node_modules/cfn-response/index.js"] = _NODE
    if not node and "cfnresponse" in text:
        files["cfnresponse.py"] = _PYTHON
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()
