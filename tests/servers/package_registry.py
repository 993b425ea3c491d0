"""A registry of packages on loopback: files that are given to nobody without a good access token.

It has one Python package, one npm package and one Go module, in the form of each client's index.
"""

import binascii
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.servers.faulty_server import FaultyServer
from tests.servers.loopback import Connection, Listener, Served

WHEEL = "demopkg-1.0-py3-none-any.whl"
MODULE = "example.test/m"
USER = "oauth2"


def wheel() -> bytes:
    """The Python package, as a wheel."""
    return _zipped(
        {
            "demopkg.py": "",
            "demopkg-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: demopkg\nVersion: 1.0\n",
            "demopkg-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "demopkg-1.0.dist-info/RECORD": "demopkg.py,,\n",
        }
    )


def _zipped(files: Mapping[str, str]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return archive.getvalue()


def _npm(origin: str) -> dict[str, bytes]:
    manifest = {"name": "demopkg", "version": "1.0.0"}
    archive, text = io.BytesIO(), json.dumps(manifest).encode()
    with tarfile.open(fileobj=archive, mode="w:gz") as file:
        member = tarfile.TarInfo("package/package.json")
        member.size = len(text)
        file.addfile(member, io.BytesIO(text))
    tarball = archive.getvalue()
    integrity = "sha512-" + binascii.b2a_base64(hashlib.sha512(tarball).digest(), newline=False).decode()
    dist = {"tarball": f"{origin}/npm/demopkg-1.0.0.tgz", "integrity": integrity}
    versions = {"1.0.0": manifest | {"dist": dist}}
    document = {"name": "demopkg", "dist-tags": {"latest": "1.0.0"}, "versions": versions}
    return {"/npm/demopkg": json.dumps(document).encode(), "/npm/demopkg-1.0.0.tgz": tarball}


def _go() -> dict[str, bytes]:
    root, mod = f"/{MODULE}/@v", f"module {MODULE}\n"
    return {
        f"{root}/v1.0.0.info": b'{"Version":"v1.0.0"}',
        f"{root}/v1.0.0.mod": mod.encode(),
        f"{root}/v1.0.0.zip": _zipped({f"{MODULE}@v1.0.0/go.mod": mod, f"{MODULE}@v1.0.0/m.go": "package m\n"}),
    }


class PackageRegistry(Served):
    """The registry, for a `with` block; over TLS when `ca_file` says where the certificate authority is written.

    `tokens` has the token of every request, in the order of their coming; None where there was none. A token of
    `refused` is let in no more.
    """

    def __init__(self, authority: FaultyServer, ca_file: Path | None = None) -> None:
        self.authority = authority
        self.tokens: list[str | None] = []
        self.refused: set[str | None] = set()
        registry = self

        class Asked(Connection):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                authorization = self.headers.get("Authorization", "")
                status, body = registry.answer(self.command, self.path, authorization)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", "text/html" if body.startswith(b"<") else "application/octet-stream")
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="packages"')
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

        self.listener = Listener(Asked)
        self.port = self.listener.server_port
        self.origin = f"http://127.0.0.1:{self.port}"
        if ca_file is not None:
            self.origin = f"https://localhost:{self.port}"
            self.listener.use_tls(ca_file, "localhost")
        index = f'<!DOCTYPE html><a href="/files/{WHEEL}">{WHEEL}</a>'.encode()
        self.files = {"/simple/demopkg/": index, f"/files/{WHEEL}": wheel()} | _npm(self.origin) | _go()

    @property
    def sent(self) -> set[str]:
        """The tokens that reached it."""
        return {each for each in self.tokens if each is not None}

    def answer(self, method: str, path: str, authorization: str) -> tuple[int, bytes]:
        """Remember the token, and make the answer: its status and body."""
        scheme, _, token = authorization.partition(" ")
        if scheme == "Basic":
            user, _, token = binascii.a2b_base64(token).decode().partition(":")
            token = token if user == USER else ""
        self.tokens.append(token or None)
        if token in self.refused or self.authority.sessions.access_claims(token) is None:
            return 401, b"no good token"
        found = b"" if method == "POST" else self.files.get(path)
        return (404, b"no such file") if found is None else (200, found)
