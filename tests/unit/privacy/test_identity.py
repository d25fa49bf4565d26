"""Who a lead is, without saying it."""

from __future__ import annotations

import hmac
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from revenueflow.errors import ConfigurationError
from revenueflow.privacy.identity import IdentityKey, normalise_email, normalise_linkedin
from revenueflow.privacy.identity_file import identity_key
from revenueflow.settings import KeySettings


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        (" Dana.Reyes+crm@Mail.X.Example\n", "dana.reyes+crm@mail.x.example"),
        ("o'neil@x.example", "o'neil@x.example"),
        ("jo\u0308rg@x.example", "jörg@x.example"),
        ("用户@例子.example", "用户@例子.example"),
        ("a@b.co", "a@b.co"),
    ],
)
def test_addresses(text: str, normal: str) -> None:
    assert normalise_email(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        None, "", " ", "n/a", "dana", "dana@", "@x.example", "dana@localhost", "dana@x.", "dana@x..example",
        "a b@x.example",
        "a@b@x.example", "Dana <dana@x.example>", "dana@x.example, b@x.example", "dana@x.e", "a@.example",
        "a" * 250 + "@x.example", "dana@x.example\nBcc: b@x.example",
    ],
)  # fmt: skip
def test_what_is_no_address(text: str | None) -> None:
    assert normalise_email(text) is None


@given(some.text())
def test_normal_is_normal(text: str) -> None:
    normal = normalise_email(text)
    assert normal is None or normalise_email(normal) == normal


@pytest.mark.parametrize("text", [None, "", "dana", "https://linkedin.com/company/acme", "https://x.example/in/dana"])
def test_what_is_no_profile(text: str | None) -> None:
    assert normalise_linkedin(text) is None


def test_an_identity_is_an_hmac_that_tells_kinds_apart() -> None:
    key = IdentityKey(b"s" * 32)
    assert key.derive("email", "a@x.example") == hmac.new(b"s" * 32, b"email\na@x.example", sha256).hexdigest()
    assert key.derive("api", "17") != key.derive("csv", "17")


def test_the_key_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("ab" * 32 + "\n")
    assert identity_key(KeySettings(identity_key_file=path)).digest(b"x") == IdentityKey(b"\xab" * 32).digest(b"x")


@pytest.mark.parametrize("content", [b"", b"ab" * 31, b"no hex: secret", b"\xff\xfe", b"a" * 65])
def test_a_bad_key_file_names_its_setting_and_not_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^REVENUEFLOW_IDENTITY_KEY_FILE: ") as caught:
        identity_key(KeySettings(identity_key_file=path))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("path", [None, Path("/nowhere/at/all"), Path("/")])
def test_a_key_file_that_is_missing(path: Path | None) -> None:
    with pytest.raises(ConfigurationError, match=r"^REVENUEFLOW_IDENTITY_KEY_FILE: "):
        identity_key(KeySettings(identity_key_file=path))
