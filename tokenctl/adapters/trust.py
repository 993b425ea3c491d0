"""Which certificates are trusted: those that the system trusts, so that company CAs work, and one more file."""

import ssl
from pathlib import Path

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
            raise UsageError(f"ca_file {ca_file!r:.200} is no readable PEM file of certificates") from None
    return made
