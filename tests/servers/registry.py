"""A registry on loopback: of images, of crates and of modules. It wants an access token of the demo's server.

It has one image (`demo:1`), one crate (`demo` 1.0.0) and one module (`team/demo/aws` 1.0.0). docker's kind of client sends
the token as the password of Basic authentication, the others as a bearer token. The module's archive is for everybody.
"""

import base64
import gzip
import hashlib
import io
import json
import socket
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from tests.servers.faulty_server import FaultyServer
from tests.servers.loopback import Connection, Listener, Served

OPEN = "/public/"
"""What begins so is for everybody."""
TLS = b"\x16"
"""The first byte of a client that tries https: it tries http when it gets an answer that is no TLS."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it arrived, and the status of its answer."""

    path: str
    authorization: str | None
    status: int


class Registry(Served):
    """The registry, for a `with` block. Without an authority everybody may read it, and a header is only remembered."""

    def __init__(self, authority: FaultyServer | None) -> None:
        self.asked: list[Asked] = []
        self._authority = authority
        registry = self

        class Asking(Connection):
            def handle_one_request(self) -> None:
                self.close_connection = True
                try:
                    if self.connection.recv(1, socket.MSG_PEEK) == TLS:
                        self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request\n")
                        return
                except OSError:
                    return
                super().handle_one_request()

            def do_GET(self) -> None:
                content = registry.contents.get(self.path)
                status = registry.judge(self.path, self.headers.get("Authorization"), found=content is not None)
                body = content if content is not None and status == 200 else b"{}"
                self.send_response(status)
                for name, value in (registry.headers(self.path, body, status)).items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET

        self.listener = Listener(Asking)
        self.host = f"127.0.0.1:{self.listener.server_port}"
        self.origin = f"http://{self.host}"
        self.contents = {**image(), **crate(self.origin), **module()}

    def judge(self, path: str, authorization: str | None, *, found: bool) -> int:
        """Remember a request and return the status of its answer."""
        granted = self._authority is None or path.startswith(OPEN) or self._is_good(path, authorization)
        status = 401 if not granted else 200 if found else 404
        self.asked.append(Asked(path=path, authorization=authorization, status=status))
        return status

    def _is_good(self, path: str, authorization: str | None) -> bool:
        assert self._authority is not None
        scheme, _, token = (authorization or "").partition(" ")
        if path.startswith("/v2/"):
            user, _, token = base64.b64decode(token).decode().partition(":")
            if (scheme, user) != ("Basic", "oauth2"):
                return False
        elif scheme != "Bearer":
            return False
        return self._authority.sessions.access_claims(token) is not None

    def headers(self, path: str, body: bytes, status: int) -> Mapping[str, str]:
        """Make the headers of an answer."""
        headers = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
        if path.startswith("/v2/"):
            headers |= {"Docker-Distribution-API-Version": "registry/2.0", "Docker-Content-Digest": digest(body)}
            challenge = 'Basic realm="registry"'
        else:
            challenge = f'Cargo login_url="{self.origin}/me"' if "/index/" in path else "Bearer"
        if "/manifests/" in path:
            headers["Content-Type"] = MANIFEST
        if path.endswith("/download"):
            headers["X-Terraform-Get"] = f"{self.origin}{OPEN}module.zip"
        return headers | ({"WWW-Authenticate": challenge} if status == 401 else {})


# -- what it has: path -> content --------------------------------------------------------------------------

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def digest(content: bytes) -> str:
    """Name a content as registries of images do."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@cache
def image() -> Mapping[str, bytes]:
    """Make an image with one file."""
    archive = tar({"hello": b"hello\n"})
    layer = gzip.compress(archive, mtime=0)
    history = [{"created": "2020-01-01T00:00:00Z", "created_by": "a test"}]
    rootfs = {"type": "layers", "diff_ids": [digest(archive)]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs, "history": history})

    def described(kind: str, content: bytes) -> dict[str, object]:
        media = f"application/vnd.docker.{kind}"
        return {"mediaType": media, "size": len(content), "digest": digest(content)}

    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described("container.image.v1+json", config.encode()),
            "layers": [described("image.rootfs.diff.tar.gzip", layer)],
        }
    ).encode()
    blobs = {f"/v2/demo/blobs/{digest(each)}": each for each in (config.encode(), layer)}
    return {
        "/v2/": b"{}",
        "/v2/demo/manifests/1": manifest,
        f"/v2/demo/manifests/{digest(manifest)}": manifest,
        **blobs,
    }


def crate(origin: str) -> Mapping[str, bytes]:
    """Make a sparse index with one crate, that wants a token for all of it."""
    manifest = b'[package]\nname = "demo"\nversion = "1.0.0"\nedition = "2021"\n'
    packed = gzip.compress(tar({"demo-1.0.0/Cargo.toml": manifest, "demo-1.0.0/src/lib.rs": b""}), mtime=0)
    checksum = hashlib.sha256(packed).hexdigest()
    line = {"name": "demo", "vers": "1.0.0", "deps": [], "cksum": checksum, "features": {}, "yanked": False}
    config = {"dl": f"{origin}/crates/{{crate}}/{{version}}", "api": origin, "auth-required": True}
    return {
        "/index/config.json": json.dumps(config).encode(),
        "/index/de/mo/demo": json.dumps(line).encode(),
        "/crates/demo/1.0.0": packed,
    }


def module() -> Mapping[str, bytes]:
    """Make a module of terraform without any resource."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.tf", 'output "hello" { value = "hello" }\n')
    versions = {"modules": [{"versions": [{"version": "1.0.0"}]}]}
    return {
        "/modules/team/demo/aws/versions": json.dumps(versions).encode(),
        "/modules/team/demo/aws/1.0.0/download": b"{}",
        f"{OPEN}module.zip": packed.getvalue(),
    }


def tar(files: Mapping[str, bytes]) -> bytes:
    """Pack files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()
