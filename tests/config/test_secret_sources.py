"""Secrets of machines from the environment and the files that it names."""

import codecs
import io
import sys
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home
from tokenctl.config.secret_sources import LONGEST, from_file, from_stdin
from tokenctl.errors import UsageError


@pytest.mark.quick
@pytest.mark.parametrize("flow", ["api-key", "client-credentials"])
@pytest.mark.parametrize("text", ["canary\nlines", "canary\r\nlines\r\n", "canary\x1b[2J", "canary\x85"])
def test_a_secret_with_a_control_character_is_2_wherever_it_comes_from(
    tmp_path: Path, demo_server: FaultyServer, flow: str, text: str
) -> None:
    """From the variable, from the file it names or from stdin: one clear error without the secret, and nothing is sent."""
    home = Home(tmp_path / "home")
    api = '[profiles.t.api.login]\nurl = "{0}"\nbody = {{ k = "{{api_key}}" }}\naccess_token = "/t"\n'
    client = 'client_id = "tokenctl-demo-ci"\nissuer = "{0}"\n'
    members = (api if flow == "api-key" else client).format(demo_server.issuer)
    home.write_config(f'[profiles.t]\nflow = "{flow}"\n{members}')
    name, option = {
        "api-key": ("TOKENCTL_API_KEY", "--api-key-stdin"),
        "client-credentials": ("TOKENCTL_CLIENT_SECRET", "--client-secret-stdin"),
    }[flow]
    (tmp_path / "secret").write_bytes(text.encode())
    (tmp_path / "secret").chmod(0o600)
    file = {f"{name}_FILE": str(tmp_path / "secret")}
    for words, environ, stdin in (
        (("login",), {name: text}, None),
        (("login",), file, None),
        (("token",), {name: text}, None),
        (("token",), file, None),
        (("login", option), {}, text),
    ):
        result = home.run(*words, environ=environ, stdin=stdin)
        assert result.status == 2 and result.stderr.count("tokenctl: error: ") == 1, result
        assert "canary" not in result.stderr
    assert demo_server.requests == []


def test_a_files_last_line_end_is_not_part_of_the_secret(tmp_path: Path, demo_server: FaultyServer) -> None:
    """As editors write it, on Windows too."""
    home = Home(tmp_path / "home", store="keyring")
    environ = {
        "TOKENCTL_ISSUER": demo_server.issuer,
        "TOKENCTL_CLIENT_ID": "tokenctl-demo-ci",
        "TOKENCTL_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
    }
    for end in ("", "\n", "\r\n"):
        (tmp_path / "secret").write_bytes(f"demo-ci-secret{end}".encode())
        assert home.run("token", environ=environ).status == 0


WRITTEN = {
    "plain": b"canary",
    "a line end": b"canary\n",
    "of Windows": b"canary\r\n",
    "with a byte order mark": codecs.BOM_UTF8 + b"canary\r\n",
    "UTF-16 of Windows": codecs.BOM_UTF16_LE + "canary\r\n".encode("utf-16-le"),
}
"""What programs write for one and the same secret."""


def piped(monkeypatch: pytest.MonkeyPatch, content: bytes) -> str:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    return from_stdin("--api-key-stdin", "API key")


@pytest.mark.parametrize("content", WRITTEN.values(), ids=WRITTEN)
def test_line_ends_and_marks_of_windows_are_no_part_of_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """From a pipe and from a file the same."""
    assert piped(monkeypatch, content) == "canary"
    (tmp_path / "secret").write_bytes(content)
    assert from_file(tmp_path / "secret", "here") == "canary"


@pytest.mark.parametrize("secret", ["'canary'", '"canary"', " canary ", "<canary>", "k" * (LONGEST - 1)])
def test_quotation_marks_and_blanks_of_a_pipe_are_kept(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """A pipe is exact: they can be a part of the secret."""
    assert piped(monkeypatch, secret.encode() + b"\n") == secret


@pytest.mark.parametrize("content", [b"canary" * LONGEST, "\u00e9".encode() * LONGEST, b"canary\n" * LONGEST])
def test_a_secret_that_is_too_long_is_an_error(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """It is never cut: a part of it would be refused by the server, and nobody would know why."""
    with pytest.raises(UsageError, match="longer than 65,536 bytes") as caught:
        piped(monkeypatch, content)
    assert "canary" not in caught.value.message


@pytest.mark.parametrize("content", [b"\xff\xff", b"\xe9canary"])
def test_a_pipe_that_is_no_text_is_an_error(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """The message does not quote it."""
    with pytest.raises(UsageError, match="it is not UTF-8 text") as caught:
        piped(monkeypatch, content)
    assert "canary" not in caught.value.message
