"""Which certificates are trusted: those that the system trusts, so that company CAs work, and one more file."""

import os
import ssl
import sys
from pathlib import Path

import certifi
import truststore

from tokenctl.errors import UsageError


def context(ca_file: str | None) -> ssl.SSLContext:
    """Return what decides about a server's certificate.

    `ca_file` is a PEM file of certificates to trust in addition to the system's. Raises UsageError when it cannot be read.
    """
    made = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file:
        try:
            made.load_verify_locations(cafile=str(Path(ca_file).expanduser()))
        except (OSError, ssl.SSLError, RuntimeError):  # RuntimeError: ~ of an unknown user
            raise UsageError(
                f"ca_file {ca_file!r:.200} is no readable PEM file of certificates",
                hint="correct ca_file in the profile, or unset it there to trust the system's certificates alone",
            ) from None
    return made


def of_everything() -> ssl.SSLContext:
    """Return what trusts every certificate: to look at one that is not trusted. Nothing may be sent with it."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def of_public_authorities() -> ssl.SSLContext:
    """Return what trusts the CAs of the public web alone, by Mozilla's list: to tell these from a private CA.

    Some systems put their own list in its place, and then a private CA that the system trusts counts as a public one.
    """
    return ssl.create_default_context(cafile=certifi.where())


def described() -> str:
    """Name the system's trust store in words, and the variables that say where it is."""
    named = [f"{name}={os.environ[name]}" for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    where = f" ({', '.join(named)})" if named and _by_openssl() else ""
    return f"the system's trust store{where}"


def has_no_certificates() -> bool:
    """Tell whether this machine has no certificates to trust, as in many small containers. False where nobody knows."""
    found = ssl.get_default_verify_paths()
    folder = found.capath and os.path.isdir(found.capath) and os.listdir(found.capath)
    return _by_openssl() and not found.cafile and not folder


def _by_openssl() -> bool:
    """Tell whether OpenSSL decides. Windows and macOS decide by themselves, without these variables."""
    return sys.platform not in ("win32", "darwin")
