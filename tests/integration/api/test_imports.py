"""CSV over HTTP."""

from __future__ import annotations

import http.client
import secrets

import httpx2
import pytest

from tests.support.api import IMPORT_LIMIT, Api


def upload(api: Api, data: bytes, *, part: str = "file", headers: dict[str, str] | None = None) -> httpx2.Response:
    given = api.as_role("ingest") if headers is None else headers
    return api.client.post("/v1/imports", files={part: ("leads.csv", data, "text/csv")}, headers=given)


def table(rows: int) -> bytes:
    lines = [f"{secrets.token_hex(6)}@x.example,Dana {n}" for n in range(rows)]
    return "\n".join(["Email,Name", *lines, ",no identity but its line", ""]).encode()


def test_a_file_is_taken_once(shared_api: Api) -> None:
    data = table(700)
    assert upload(shared_api, data).json() == {"rows": 701, "accepted": 701, "duplicates": 0, "quarantined": 0}
    again = upload(shared_api, data)
    assert (again.status_code, again.json()) == (202, {"rows": 701, "accepted": 0, "duplicates": 701, "quarantined": 0})


@pytest.mark.parametrize("size", [IMPORT_LIMIT + 1, 4 * IMPORT_LIMIT])
def test_a_file_over_the_cap(shared_api: Api, size: int) -> None:
    answer = upload(shared_api, b"email\n" + b"x" * (size - 6))
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:revenueflow:problem:too_large")


def test_a_file_just_under_the_cap(shared_api: Api) -> None:
    data = table(1)
    assert upload(shared_api, data + b"\n" * (IMPORT_LIMIT - len(data))).json()["rows"] == 2


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("reader", 403), ("ingest", 413)])
def test_nobody_is_let_send_a_gigabyte(shared_api: Api, role: str | None, status: int) -> None:
    """The answer comes before the body is sent."""
    connection = http.client.HTTPConnection(
        shared_api.client.base_url.host, shared_api.client.base_url.port, timeout=10
    )
    connection.putrequest("POST", "/v1/imports")
    for name, value in (shared_api.as_role(role) if role else {}).items():
        connection.putheader(name, value)
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(2**30))
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


@pytest.mark.parametrize(
    ("data", "pointer"),
    [(b"", "/0"), (b"foo,bar\n1,s3cr3t\n", "/0"), (b"email,note\na@x.example,ok\nb@x.example,\xff\n", None)],
)
def test_files_that_are_no_leads(shared_api: Api, data: bytes, pointer: str | None) -> None:
    answer = upload(shared_api, data)
    assert "s3cr3t" not in answer.text
    if pointer is None:
        assert answer.status_code == 202
    else:
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def test_bodies_that_are_no_upload(shared_api: Api) -> None:
    key = shared_api.as_role("ingest")
    assert shared_api.client.post("/v1/imports", json={}, headers=key).status_code == 415
    assert shared_api.client.post("/v1/imports", headers=key).status_code == 415
    assert upload(shared_api, b"email\n", part="data").json()["errors"] == [
        {"pointer": "/file", "detail": "must be a file"}
    ]
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = shared_api.client.post("/v1/imports", content=b"--nonsense", headers=key | {"content-type": kind})
        assert answer.status_code in (400, 422), answer.text
