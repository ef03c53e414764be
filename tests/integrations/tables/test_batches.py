# mypy: disable-error-code="import-untyped"
"""From a record batch to a record batch: what is signed, what is not and why."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfront import Policy, Signer, SigningKey, ViewerRequest, verify
from keyfront.core import encoding as base64
from keyfront.errors import InputError, ServiceError
from keyfront.home import install
from keyfront.integrations.tables import TableTerms, separate, sign_batch, signed_schema

SITE = "https://d111111abcdef8.cloudfront.net"
HOUR = int(time.time()) + 3600
TERMS = TableTerms(url_column="url", expires=HOUR)


def batch(**columns: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def allowed(url: str, key: SigningKey, ip: str = "") -> bool:
    return verify(ViewerRequest(url, ip=ip), {"K2JCJMDEHXQW5F": key.public_key}, now=time.time()).allowed


def policy(url: str) -> Policy:
    parameters = dict(each.split("=", 1) for each in url.partition("?")[2].split("&"))
    return Policy.parse(base64.decode(parameters["Policy"]))


def test_rows_keep_their_order_and_their_columns_and_say_why_they_are_not_signed(
    signer: Signer, key: SigningKey
) -> None:
    given = batch(id=[1, 2, 3], url=[f"{SITE}/a b.epub", "book.epub", None], tags=[["x"], [], None])
    made = sign_batch(given, signer, TERMS)
    assert made.schema == signed_schema(given.schema, TERMS)
    assert made.schema.names == ["id", "url", "tags", "signed_url", "reason"]
    assert made.select(["id", "url", "tags"]).equals(given)
    signed, reasons = made.column("signed_url").to_pylist(), made.column("reason").to_pylist()
    assert signed[0].startswith(f"{SITE}/a%20b.epub?Expires={HOUR}&")
    assert allowed(signed[0], key)
    assert signed[1:] == [None, None]
    assert reasons == [None, "'book.epub' has no scheme: write https://book.epub", "the URL is missing"]


def test_the_rows_are_told_apart(signer: Signer) -> None:
    made = sign_batch(batch(url=[f"{SITE}/1", "x", f"{SITE}/2", ""], n=[1, 2, 3, 4]), signer, TERMS)
    signed, rejected = separate(made, TERMS)
    assert signed.schema.names == ["url", "n", "signed_url"]
    assert signed.column("n").to_pylist() == [1, 3]
    assert rejected.column("n").to_pylist() == [2, 4]
    assert rejected.column("reason").null_count == 0


def test_the_url_column_can_be_replaced_and_a_row_that_is_not_signed_keeps_its_own(signer: Signer) -> None:
    terms = TableTerms(url_column="url", signed_column="url", expires=HOUR)
    made = sign_batch(batch(url=[f"{SITE}/1", "x"], n=[1, 2]), signer, terms)
    assert made.schema.names == ["url", "n", "reason"]
    assert made.column("url").to_pylist()[0].startswith(f"{SITE}/1?Expires=")
    assert made.column("url").to_pylist()[1] == "x"


def test_each_row_can_say_until_when_from_where_and_for_what(signer: Signer, key: SigningKey) -> None:
    until = datetime.fromtimestamp(HOUR, UTC)
    terms = TableTerms(
        url_column="url",
        expires=timedelta(minutes=5),
        expires_column="until",
        ip_column="from",
        resource_column="for",
    ).fixed(time.time())
    given = batch(
        **{
            "url": [f"{SITE}/a/{n}" for n in range(5)],
            "until": [until.isoformat(), str(HOUR), "", "tomorrow", until.replace(tzinfo=None).isoformat()],
            "from": ["192.0.2.7", None, "", None, None],
            "for": [None, f"{SITE}/a/*", "", None, None],
        }
    )
    made = sign_batch(given, signer, terms)
    signed, reasons = made.column("signed_url").to_pylist(), made.column("reason").to_pylist()
    assert policy(signed[0]) == Policy(f"{SITE}/a/0", HOUR, ip="192.0.2.7/32")
    assert policy(signed[1]) == Policy(f"{SITE}/a/*", HOUR)
    assert f"?Expires={terms.expires}&" in signed[2]
    assert allowed(signed[0], key, ip="192.0.2.7")
    assert not allowed(signed[0], key, ip="192.0.2.8")
    assert "'tomorrow', which is not a time" in reasons[3]
    assert "without a time zone" in reasons[4]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([HOUR]),
        pa.array([float(HOUR)]),
        pa.array([HOUR * 1_000_000], pa.timestamp("us", "UTC")),
        pa.array([HOUR], pa.timestamp("s", "America/New_York")),
        pa.array([str(HOUR)]).dictionary_encode(),
    ],
    ids=["integer", "float", "timestamp", "timestamp in New York", "text in a dictionary"],
)
def test_times_come_in_many_types(column: pa.Array, signer: Signer) -> None:
    terms = TableTerms(url_column="url", expires_column="until")
    made = sign_batch(batch(url=[f"{SITE}/1"], until=column), signer, terms)
    assert f"?Expires={HOUR}&" in made.column("signed_url")[0].as_py()


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_texts_come_in_many_types(kind: pa.DataType, signer: Signer) -> None:
    urls = pa.array([f"{SITE}/1", None]).cast(kind)
    assert sign_batch(batch(url=urls), signer, TERMS).column("signed_url").null_count == 1


def test_one_signature_is_put_behind_all_rows_of_a_pattern(key: SigningKey) -> None:
    class Counting:
        algorithm, public_key, count = key.algorithm, key.public_key, 0

        def sign(self, data: bytes, hash_algorithm: Any) -> bytes:
            self.count += 1
            return key.sign(data, hash_algorithm)

    counting = Counting()
    terms = TableTerms(url_column="url", expires=HOUR, resource=f"{SITE}/a/*")
    urls = [*(f"{SITE}/a/{n}" for n in range(100)), f"{SITE}/b/1", "/a/1"]
    made = sign_batch(batch(url=urls), Signer("K2JCJMDEHXQW5F", counting), terms)
    signed, reasons = made.column("signed_url").to_pylist(), made.column("reason").to_pylist()
    assert counting.count == 1
    assert all(allowed(each, key) for each in signed[:100])
    assert "does not cover" in reasons[100]
    assert "has no scheme" in reasons[101]


def test_bytes_that_are_no_text_are_a_rows_fault(signer: Signer) -> None:
    bad = pa.array([f"{SITE}/1".encode(), b"https://x.example/\xff"]).view(pa.string())
    terms = TableTerms(url_column="url", signed_column="url", expires=HOUR)
    made = sign_batch(batch(url=bad), signer, terms)
    assert made.column("reason").null_count == 1
    assert made.column("url")[1].as_py() == "https://x.example/\\xff"


def test_a_key_that_cannot_sign_is_no_rows_fault(key: SigningKey) -> None:
    class Gone:
        algorithm, public_key = key.algorithm, key.public_key

        def sign(self, data: bytes, hash_algorithm: Any) -> bytes:
            raise ServiceError("KMS did not answer")

    with pytest.raises(ServiceError, match="did not answer"):
        sign_batch(batch(url=[f"{SITE}/1"]), Signer("K2JCJMDEHXQW5F", Gone()), TERMS)


NAIVE = pa.array([0], pa.timestamp("s"))


@pytest.mark.parametrize(
    ("columns", "terms", "told"),
    [
        ({"link": ["x"]}, {}, "there is no column 'url': the table has 'link'"),
        ({"url": [1]}, {}, "the column 'url' holds int64"),
        ({"url": ["x"], "signed_url": ["y"]}, {}, "already has a column 'signed_url'"),
        ({"url": ["x"], "reason": ["y"]}, {}, "already has a column 'reason'"),
        ({"url": ["x"], "t": NAIVE}, {"expires_column": "t"}, "'t' holds times without a time zone"),
        ({"url": ["x"], "t": [True]}, {"expires_column": "t"}, "'t' holds bool, which is not a time"),
        ({"url": ["x"]}, {"ip_column": "ip"}, "there is no column 'ip'"),
    ],
)
def test_columns_that_do_not_fit_are_refused(
    columns: dict[str, Any], terms: dict[str, Any], told: str, signer: Signer
) -> None:
    with pytest.raises(InputError, match=told):
        sign_batch(batch(**columns), signer, TableTerms(url_column="url", expires=HOUR, **terms))


def test_two_columns_of_one_name_are_refused(signer: Signer) -> None:
    twice = pa.RecordBatch.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["url", "url"])
    with pytest.raises(InputError, match="2 columns named 'url'"):
        sign_batch(twice, signer, TERMS)


def test_terms_that_would_refuse_every_row_are_refused_at_once() -> None:
    with pytest.raises(InputError, match="there is no expiry"):
        TableTerms(url_column="url")
    for terms in ({"expires": 1}, {"ip": "::1"}, {"resource": "x"}, {"starts": HOUR + 1}):
        with pytest.raises(InputError):
            TableTerms(url_column="url", **{"expires": HOUR, **terms}).fixed(time.time())  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(), st.text().map(lambda text: f"{SITE}/{text}")), max_size=8))
def test_a_row_is_what_sign_url_says_of_its_url(urls: list[str | None]) -> None:
    signer = Signer("K2JCJMDEHXQW5F", _KEY)
    made = sign_batch(batch(url=pa.array(urls, pa.string())), signer, TERMS)
    for url, signed, reason in zip(
        urls, made.column("signed_url").to_pylist(), made.column("reason").to_pylist(), strict=True
    ):
        if signed is None:
            with pytest.raises(InputError) as told:
                signer.sign_url(url or "", expires=HOUR)
            assert reason == ("the URL is missing" if url is None else str(told.value))
        else:
            assert url is not None
            assert reason is None
            assert signed.partition("Expires=")[0] == signer.sign_url(url, expires=HOUR).partition("Expires=")[0]
            assert allowed(signed, _KEY)


_KEY = SigningKey.generate("ecdsa")


def test_keyfront_does_not_load_pyarrow_and_says_what_installs_it() -> None:
    script = """if True:
        import sys
        import keyfront, keyfront.cli.tables
        assert "pyarrow" not in sys.modules
        sys.modules["pyarrow"] = None
        from keyfront.errors import KeyfrontError
        try:
            import keyfront.integrations.tables
        except KeyfrontError as error:
            assert "pip install '.[tables]'" in str(error), error
        else:
            raise SystemExit("imported")
        from keyfront.cli import main
        status = main(["sign-table", "a.csv", "b.csv", "--url-column", "url", "--expires", "1h"])
        assert status == 2, status
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"error: signing tables needs pyarrow: {install('tables')}\n"
