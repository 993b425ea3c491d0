"""LemonLDAP::NG, a single sign-on portal in Perl (Debian package), with its demonstration accounts and pages."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.bench.real_servers import person
from tests.bench.real_servers.parts import (
    ASCII_SECRET,
    SECONDS,
    Client,
    Recipe,
    Server,
    debian_packages,
    free_port,
    run,
    started,
)

PORT = 8768
SCOPE = "openid profile email offline_access"
ACCOUNT = "dwho"  # the password is the same
PERL = (  # what its OpenID Connect part loads, beyond what the package itself asks for
    "libcrypt-openssl-bignum-perl",
    "libcrypt-openssl-rsa-perl",
    "libcrypt-openssl-x509-perl",
    "libcrypt-urandom-perl",
    "libgd-securityimage-perl",
    "libimage-magick-perl",
    "libconvert-base32-perl",
    "libio-string-perl",
    "libplack-perl",
    "libunicode-string-perl",
    "libstring-random-perl",
    "liburi-perl",
)
SHARED = Path("/usr/share/lemonldap-ng/portal")


def _install(cache: Path) -> str:
    return debian_packages("lemonldap-ng", "openssl", *PERL)


def _party(client_id: str, secret: str | None) -> dict[str, object]:
    options: dict[str, object] = {
        "ClientID": client_id,
        "RedirectUris": f"http://127.0.0.1:{PORT}/callback",
        "AccessTokenExpiration": SECONDS,
        "RefreshToken": 1,
        "AllowOffline": 1,
        "AllowClientCredentialsGrant": 1 if secret else 0,
        "IDTokenSignAlg": "RS256",
        "Public": 0 if secret else 1,
        "RequirePKCE": 1,
    }
    options |= {"ClientSecret": secret} if secret else {}
    return {f"oidcRPMetaDataOptions{name}": value for name, value in options.items()}


def _settings(origin: str, folder: Path) -> Mapping[str, object]:
    run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-out", str(folder / "key.pem")])
    files = {name: folder / name for name in ("conf", "sessions", "psessions", "cache", "notifications")}
    for path in files.values():
        (path / "lock").mkdir(parents=True)
    cached = {"cache_root": str(files["cache"]), "namespace": "sessions", "default_expires_in": 600, "cache_depth": 3}
    return {
        "cfgNum": 1,
        "cfgAuthor": "a test",
        "cfgDate": 1700000000,
        "cfgVersion": "2.16.1",
        "portal": f"{origin}/",
        "domain": "127.0.0.1",
        "cookieName": "lemonldap",
        "securedCookie": 0,
        "authentication": "Demo",
        "userDB": "Same",
        "passwordDB": "Demo",
        "registerDB": "Null",
        "demoExportedVars": {"cn": "cn", "mail": "mail", "uid": "uid"},
        "globalStorage": "Apache::Session::File",
        "globalStorageOptions": {
            "Directory": str(files["sessions"]),
            "LockDirectory": str(files["sessions"] / "lock"),
            "generateModule": "Lemonldap::NG::Common::Apache::Session::Generate::SHA256",
        },
        "persistentStorage": "Apache::Session::File",
        "persistentStorageOptions": {
            "Directory": str(files["psessions"]),
            "LockDirectory": str(files["psessions"] / "lock"),
        },
        "localSessionStorage": "Cache::FileCache",
        "localSessionStorageOptions": cached,
        "macros": {"_whatToTrace": "$uid"},
        "whatToTrace": "_whatToTrace",
        "timeout": 72000,
        "locationRules": {"127.0.0.1": {"default": "accept"}},
        "exportedHeaders": {},
        "issuerDBOpenIDConnectActivation": 1,
        "oidcServiceMetaDataIssuer": origin,
        "oidcServiceAllowAuthorizationCodeFlow": 1,
        "oidcServicePrivateKeySig": (folder / "key.pem").read_text(),
        "oidcServicePublicKeySig": run(["openssl", "pkey", "-in", str(folder / "key.pem"), "-pubout"]),
        "oidcServiceKeyIdSig": "one",
        "oidcRPMetaDataOptions": {
            "public": _party("public", None),
            "confidential": _party("confidential", ASCII_SECRET),
        },
        "oidcRPMetaDataExportedVars": {name: {"email": "mail", "name": "cn"} for name in ("public", "confidential")},
    }


@contextmanager
def _start(cache: Path, folder: Path) -> Iterator[Server]:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    settings = _settings(origin, folder)
    (folder / "conf" / "lmConf-1.json").write_text(json.dumps(settings))
    (folder / "llng.ini").write_text(
        f"[all]\nlogLevel = notice\n[configuration]\ntype = File\ndirName = {folder}/conf\n"
        f"[portal]\nstaticPrefix = /static\ntemplateDir = {SHARED}/templates\nlanguages = en\n"
    )
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LLNG_DEFAULTCONFFILE": str(folder / "llng.ini")}
    command = ["plackup", "--host", "127.0.0.1", "--port", str(port), "--env", "deployment"]
    command += [str(SHARED / "htdocs" / "index.psgi")]
    with started(command, folder, f"{origin}/.well-known/openid-configuration", environ=environ):
        yield Server(
            issuer=origin,
            clients={
                "public": Client(client_id="public", scope=SCOPE, port=PORT),
                "confidential": Client(client_id="confidential", secret=ASCII_SECRET, scope=SCOPE, port=PORT),
                "machine": Client(client_id="confidential", secret=ASCII_SECRET, scope="profile"),
            },
            sign_in=partial(person.sign_in, login=ACCOUNT, password=ACCOUNT),
            revokes=False,
        )


RECIPE = Recipe(name="lemonldap", install=_install, start=_start)
