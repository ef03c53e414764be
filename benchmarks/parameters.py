"""The sources of the measured functions' key: moto's SSM, and a stand-in for AWS's extension."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import boto3
from moto.server import ThreadedMotoServer

NAME = "/shop/signing-key"
REGION = "eu-central-1"
TOKEN = "session"


@contextmanager
def ssm(value: str) -> Iterator[str]:
    """Run SSM with one parameter and yield its address."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # no line for each request
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        client = boto3.Session("id", "secret", TOKEN, REGION).client("ssm", endpoint_url=url)
        client.put_parameter(Name=NAME, Value=value, Type="SecureString")
        client.get_parameter(Name=NAME, WithDecryption=True)  # makes moto load its modules now
        yield url
    finally:
        server.stop()


@contextmanager
def extension(value: str) -> Iterator[int]:
    """Run a stand-in for the parameters-and-secrets extension, with the parameter in its cache, and yield its port.

    Source: Systems Manager User Guide, "Using Parameter Store parameters in Lambda functions".
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            wanted = (asked.path, parse_qs(asked.query), self.headers.get("X-Aws-Parameters-Secrets-Token"))
            known = ("/systemsmanager/parameters/get", {"name": [NAME], "withDecryption": ["true"]}, TOKEN)
            said = {"Parameter": {"Name": NAME, "Value": value}} if wanted == known else {"message": "no such thing"}
            body = json.dumps(said).encode()
            self.send_response(200 if wanted == known else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
