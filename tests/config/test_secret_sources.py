"""Secrets of machines from the environment and the files that it names."""

import codecs
import io
import os
import sys
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home
from tokenctl.config import secret_sources
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


ENDS = {
    "none": b"s\xc3\xa9cret",
    "a line end": b"s\xc3\xa9cret\n",
    "line ends": b"s\xc3\xa9cret\n\n",
    "of Windows": b"s\xc3\xa9cret\r\n",
    "a mark": b"\xef\xbb\xbfs\xc3\xa9cret\r\n",
    "UTF-16": "s\u00e9cret\r\n".encode("utf-16"),
}


@pytest.mark.parametrize("name", ["CLIENT_SECRET", "API_KEY", "ID_TOKEN", "PASSPHRASE"])
@pytest.mark.parametrize("content", ENDS.values(), ids=ENDS)
def test_what_editors_and_shells_add_is_not_part_of_the_secret(tmp_path: Path, name: str, content: bytes) -> None:
    """Line ends, a byte order mark, and the encoding of PowerShell; in a variable the line ends too."""
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert secret_sources.from_environment({f"TOKENCTL_{name}_FILE": str(path)}, name) == "s\u00e9cret"
    if not content.startswith(b"\xff"):
        assert secret_sources.from_environment({f"TOKENCTL_{name}": content.decode()}, name) == "s\u00e9cret"


@pytest.mark.parametrize("name", ["CLIENT_SECRET", "API_KEY", "ID_TOKEN", "PASSPHRASE"])
def test_a_secret_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path, name: str) -> None:
    """Missing, a folder, empty, blank, no text, endless, or twice: each is exit 2 and names its variable."""
    variable = f"TOKENCTL_{name}"
    for file, content in {"empty": b"", "end": b"\r\n", "blank": b"  \n", "bytes": b"\xff\xff\xff"}.items():
        (tmp_path / file).write_bytes(content)
    files = {
        "missing": "No such file or directory",
        "": "Is a directory",
        "empty": "is empty",
        "end": "is empty",
        "blank": "is empty",
        "bytes": "it is not UTF-8 text",
        "/dev/zero": "it has more than",
    }
    cases = [({f"{variable}_FILE": str(tmp_path / file)}, f"{variable}_FILE", said) for file, said in files.items()]
    cases += [({variable: "s", f"{variable}_FILE": str(tmp_path)}, f"{variable} and {variable}_FILE", "both set")]
    for environ, named, said in cases:
        with pytest.raises(UsageError, match=said) as caught:
            secret_sources.from_environment(environ, name)
        assert caught.value.message.startswith(named) and caught.value.exit_status == 2
    assert secret_sources.from_environment({}, name) is None


@pytest.mark.skipif(os.name != "posix", reason="pipes with a path")
def test_a_secret_may_come_from_a_pipe() -> None:
    """What `<(pass show ci)` of a shell gives can be read once, and is asked for again and again."""
    reader, writer = os.pipe()
    os.write(writer, b"from a pipe\n")
    os.close(writer)
    try:
        for _ in range(3):
            environ = {"TOKENCTL_CLIENT_SECRET_FILE": f"/dev/fd/{reader}"}
            assert secret_sources.from_environment(environ, "CLIENT_SECRET") == "from a pipe"
    finally:
        os.close(reader)


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
