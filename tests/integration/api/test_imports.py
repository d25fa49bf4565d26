"""CSV over HTTP."""

from __future__ import annotations

import csv
import http.client
import os
import secrets
import signal
import socket
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from tests.support import sql
from tests.support.api import IMPORT_LIMIT, Api, add_keys, serving
from tests.support.processes import until

ROWS = "SELECT count(*) FROM deliveries"


def upload(
    api: Api, data: bytes, *, part: str = "file", query: str = "", role: str = "ingest", **fields: str
) -> httpx2.Response:
    files = {part: ("leads.csv", data, "text/csv")}
    return api.client.post(f"/v1/imports{query}", files=files, data=fields, headers=api.as_role(role))


def counts(answer: httpx2.Response) -> dict[str, int]:
    assert answer.status_code == 202, answer.text
    names = ("rows", "accepted", "duplicates", "quarantined", "rejected")
    return {name: answer.json()[name] for name in names if answer.json()[name]}


def table(rows: int) -> bytes:
    lines = [f"{secrets.token_hex(6)}@x.example,Dana {n}" for n in range(rows)]
    return "\n".join(["Email,Name", *lines, ",no identity but its line", ""]).encode()


def test_a_file_is_taken_once(shared_api: Api) -> None:
    data = table(700)
    first = upload(shared_api, data)
    assert counts(first) == {"rows": 701, "accepted": 701}
    again = upload(shared_api, data)
    assert counts(again) == {"rows": 701, "duplicates": 701}
    assert first.json()["id"] != again.json()["id"]
    shown = shared_api.read(first.headers["Location"])
    told = shown.json()
    assert (told["state"], told["rows"], told["accepted"], told["error"]) == ("done", 701, 701, None)
    assert told["created_at"] <= told["updated_at"] <= told["finished_at"]
    assert "leads.csv" not in shown.text


BAD = b"""Email;Name;Note
a@x.example;A;fine
no address;;
;;"nothing that we know"
b@x.example;"B
c@x.example;C;=1+1
"""


def test_each_row_is_stored_or_rejected(shared_api: Api) -> None:
    data = BAD.replace(b"x.example", f"{secrets.token_hex(6)}.example".encode())
    answer = upload(shared_api, data)
    assert counts(answer) == {"rows": 5, "accepted": 2, "rejected": 3}
    assert counts(upload(shared_api, data)) == {"rows": 5, "duplicates": 2, "rejected": 3}
    got = shared_api.read(answer.json()["rejects"], "ingest")
    assert got.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(got.text.splitlines()))
    reasons = [("3", "no_identity"), ("4", "nothing_known"), ("5", "unended_quote")]
    assert [(row["line"], row["reason"]) for row in rows] == reasons
    assert [row["Email"][:2] for row in rows] == ["no", "", "b@"]
    assert all(row["detail"] and "address" not in row["detail"].replace("no address", "") for row in rows)
    mended = upload(shared_api, got.content.replace(b"no address", b"d@x.example"))
    assert counts(mended) == {"rows": 3, "accepted": 2, "rejected": 1}


def test_rejects_in_pages(shared_api: Api) -> None:
    answer = upload(shared_api, b"email,note\n" + b"".join(b"=s3cr3t %d,x\n" % n for n in range(5)))
    path, found = answer.json()["rejects"] + "?format=json&limit=2", []
    cursor: str | None = ""
    while cursor is not None:
        page = shared_api.read(path + (f"&cursor={cursor}" if cursor else ""))
        found += page.json()["items"]
        cursor = page.json()["next_cursor"]
        assert ("Link" in page.headers) == (cursor is not None)
    assert [item["line"] for item in found] == [2, 3, 4, 5, 6]
    assert found[0]["raw"] == "=s3cr3t 0,x"
    assert (found[0]["reason"], "s3cr3t" in found[0]["detail"]) == ("no_identity", False)
    assert "'=s3cr3t 0" in shared_api.read(answer.json()["rejects"]).text
    assert shared_api.read(answer.json()["rejects"] + "?format=json&cursor=x").status_code == 422
    assert shared_api.read(answer.json()["rejects"] + "?format=xml").status_code == 422


def test_who_may_see_an_import(shared_api: Api, worker_database: DatabaseUrls) -> None:
    theirs = Api(shared_api.client, add_keys(worker_database))
    path = upload(shared_api, table(1)).headers["Location"]
    for part in ("", "/rejects"):
        status = [theirs.read(path + part, role).status_code for role in ("ingest", "operator", "reader", "auditor")]
        assert status == [404, 200, 200, 403]
        assert shared_api.read(f"/v1/imports/{uuid4()}{part}").status_code == 404


def test_an_import_whose_process_is_gone_has_failed(shared_api: Api, worker_database: DatabaseUrls) -> None:
    import_id = uuid4()
    ago = "INSERT INTO imports (id, updated_at) VALUES ($1, now() - interval '2 hours')"
    sql.rows(worker_database.app_url, ago, import_id)
    told = shared_api.read(f"/v1/imports/{import_id}").json()
    assert (told["state"], told["error"]) == ("failed", "abandoned")


def begin_upload(port: int, key: str, data: bytes) -> socket.socket:
    """A connection that has sent these bytes of a file, and no end of it."""
    start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + data
    lines = ("Host: x", f"Authorization: {key}", "Content-Type: multipart/form-data; boundary=x", "")
    head = "POST /v1/imports HTTP/1.1\r\n" + "\r\n".join([*lines[:-1], f"Content-Length: {len(start) + 100}"])
    raw = socket.create_connection(("127.0.0.1", port), timeout=10)
    raw.sendall(head.encode() + b"\r\n\r\n" + start)
    return raw


def test_an_upload_that_was_cut_goes_on_with_the_next(api: Api, database: DatabaseUrls) -> None:
    data = table(1200)
    raw = begin_upload(api.client.base_url.port or 0, api.as_role("ingest")["Authorization"], data[:-9000])
    until(lambda: sql.value(database.app_url, ROWS) >= 500, seconds=10)
    raw.close()
    until(lambda: sql.value(database.app_url, "SELECT state FROM imports") == "failed", seconds=10)
    assert sql.value(database.app_url, "SELECT error FROM imports") == "malformed_input"
    stored = sql.value(database.app_url, ROWS)
    assert sql.value(database.app_url, "SELECT rows FROM imports") == stored == 500
    assert counts(upload(api, data)) == {"rows": 1201, "duplicates": 500, "accepted": 701}
    assert sql.value(database.app_url, ROWS) == sql.value(database.app_url, "SELECT count(*) FROM jobs") == 1201


def test_an_upload_goes_on_after_the_process_was_killed(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> None:
    data, key = table(1200), add_keys(database)["ingest"]
    with (
        serving(database.app_url, redis_url, tmp_path) as (port, pid),
        begin_upload(port, f"Bearer {key}", data[:-9000]),
    ):
        until(lambda: sql.value(database.app_url, "SELECT max(rows) FROM imports") == 500, seconds=10)
        os.kill(pid, signal.SIGKILL)
    with serving(database.app_url, redis_url, tmp_path) as (port, _):
        headers = {"Authorization": f"Bearer {key}"}
        url, files = f"http://127.0.0.1:{port}/v1/imports", {"file": ("leads.csv", data)}
        answer = httpx2.post(url, files=files, headers=headers, trust_env=False)
    assert counts(answer) == {"rows": 1201, "duplicates": 500, "accepted": 701}


MAPPED = b"Arbeitgeber,Mail,Shoe size\nAcme,a@x.example,42\n"


def test_columns_are_mapped(api: Api, database: DatabaseUrls) -> None:
    for mapping, company in (("", None), (orjson.dumps({"Arbeitgeber": "company"}).decode(), "Acme")):
        assert counts(upload(api, MAPPED, map=mapping)) == {"rows": 1, "accepted": 1}
        newest = "SELECT parsed #>> '{form,company}' FROM deliveries ORDER BY received_at DESC LIMIT 1"
        assert sql.value(database.app_url, newest) == company
    assert counts(upload(api, MAPPED, campaign="fair")) == {"rows": 1, "accepted": 1}
    assert sql.value(database.app_url, "SELECT count(DISTINCT lead_id) FROM deliveries") == 2, "one in each campaign"


@pytest.mark.parametrize(
    ("mapping", "told"),
    [("{", "JSON object"), ("[]", "JSON object"), ('{"a": 1}', "JSON object"), ('{"Mail": "s3cr3t"}', "linkedin_url"),
     ('{"s3cr3t": "name"}', "header")],
)  # fmt: skip
def test_a_mapping_that_is_none(shared_api: Api, mapping: str, told: str) -> None:
    answer = upload(shared_api, MAPPED, map=mapping)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, "/map")
    assert told in error["detail"]
    assert "s3cr3t" not in answer.text


def multipart(*parts: tuple[str, bytes]) -> bytes:
    return b"".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
        for name, value in parts
    )


@pytest.mark.parametrize(
    ("content", "status", "pointer"),
    [
        (multipart(("file", table(1)), ("map", b"{}")) + b"--x--", 422, "/file"),
        (multipart(("mapp", b"{}"), ("file", table(1))) + b"--x--", 422, "/"),
        (multipart(("map", b"{}")) + b"--x--", 422, "/file"),
        (multipart(("file", table(1))), 400, None),
        (multipart(("map", b" " * 20_000), ("file", table(1))) + b"--x--", 413, None),
    ],
    ids=["a field after the file", "an unknown field", "no file", "no end", "a large field"],
)
def test_parts_that_are_not_as_they_must_be(shared_api: Api, content: bytes, status: int, pointer: str | None) -> None:
    headers = shared_api.as_role("ingest") | {"content-type": "multipart/form-data; boundary=x"}
    answer = shared_api.client.post("/v1/imports", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == ([pointer] if pointer else [])


def test_a_preview_stores_nothing(api: Api, database: DatabaseUrls) -> None:
    answer = upload(api, MAPPED + b"x,no address,\n,no address,\n", query="?dry_run=true", map='{"Mail": "email"}')
    told: dict[str, Any] = answer.json()
    assert answer.status_code == 200
    assert told["columns"] == [
        {"column": "Arbeitgeber", "field": None},
        {"column": "Mail", "field": "email"},
        {"column": "Shoe size", "field": None},
    ]
    assert told["unmapped"] == ["Arbeitgeber", "Shoe size"]
    assert told["first"] == [{"line": 2, "campaign_id": "default", "email": "a@x.example"}]
    assert (told["rows"], told["acceptable"], told["rejected"]) == (3, 1, 2)
    assert [one["line"] for one in told["rejects"]] == [3, 4]
    for name in ("deliveries", "imports", "import_rejects"):
        assert sql.value(database.app_url, f"SELECT count(*) FROM {name}") == 0


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
