"""Why TLS failed, and what a person can do: the certificate, the clock, the CA, the version, or what cuts it off.

The causes are told apart by the numbers and names of OpenSSL, Windows and macOS, not by their texts.
"""

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A reason, as the end of a sentence, and a hint."""

    reason: str
    hint: str


_CA = "add its CA to the system's trust store, or set ca_file in the profile"
_OPERATOR = "only the people who run it can change that"

_EXPIRED = Cause(
    reason="its certificate has expired",
    hint="is this machine's clock right? It says {now}. If so, the people who run it must renew the certificate",
)
_NOT_YET_VALID = Cause(
    reason="its certificate is not valid yet",
    hint="is this machine's clock behind? It says {now}",
)
_OTHER_HOST = Cause(
    reason="its certificate is for another host",
    hint="is the host name in the address right? A captive portal or another server can answer in its place",
)
_SELF_SIGNED = Cause(
    reason="its certificate is self-signed",
    hint="if you know this certificate, set ca_file in the profile to a PEM file of it",
)
_PRIVATE_CA = Cause(
    reason="the CA of its certificate is not trusted here",
    hint=f"does a proxy of your company inspect TLS, or is it a private CA? Then {_CA}",
)
_INCOMPLETE = Cause(
    reason="its certificate is from a CA that is not known here",
    hint=f"{_CA}; if it has a public CA, the server does not send the intermediate certificate",
)
UNKNOWN_CA = (_PRIVATE_CA.reason, _INCOMPLETE.reason)
"""The reasons of a certificate that may be good, and whose CA is not known here."""
_REVOKED = Cause(reason="its certificate is revoked", hint="do not trust it; tell the people who run it")
_WEAK = Cause(reason="its certificate is too weak for this machine's rules", hint=_OPERATOR)
_WRONG_USE = Cause(reason="its certificate is not one for a server", hint=_OPERATOR)
_NOT_TRUSTED = Cause(reason="its certificate is not trusted here", hint=_CA)

_BY_CODE = {
    **dict.fromkeys((10, 0x800B0101, -67818), _EXPIRED),
    **dict.fromkeys((9, -67819), _NOT_YET_VALID),
    **dict.fromkeys((62, 64, 0x800B010F, -67602), _OTHER_HOST),
    18: _SELF_SIGNED,
    **dict.fromkeys((19, 0x800B0109), _PRIVATE_CA),
    **dict.fromkeys((2, 20, 21, 27, 0x800B010A, -67843), _INCOMPLETE),
    **dict.fromkeys((23, 0x800B010C, -67820), _REVOKED),
    **dict.fromkeys((66, 67, 68, -67732), _WEAK),
    **dict.fromkeys((24, 26, 79, 0x800B0110), _WRONG_USE),
}
"""`verify_code` of OpenSSL (x509_vfy.h), Windows (CERT_E_...) and macOS (errSec...)."""

_NO_TLS = Cause(reason="it does not speak TLS", hint="does the address begin with http, or is the port wrong?")
_OLD_VERSION = Cause(
    reason="it and this machine have no TLS version in common",
    hint="its TLS is too old (TLS 1.2 or newer is needed): the people who run it must update it",
)
_NO_CIPHER = Cause(
    reason="it refuses the TLS handshake, and does not say why",
    hint="it can have no cipher in common with this machine, want a client certificate, or not know this host name",
)
CLIENT_CERTIFICATE = Cause(
    reason="it wants a client certificate (mutual TLS)",
    hint="tokenctl has no client certificates: use another address of this server, or a proxy that adds one",
)
_OLD_CRYPTOGRAPHY = Cause(reason="its TLS is too weak for this machine's rules", hint=_OPERATOR)
_UNKNOWN_NAME = Cause(
    reason="it does not know this host name",
    hint="is the host name in the address right? Another server can answer here",
)
_CUT_OFF = Cause(
    reason="the TLS handshake was cut off",
    hint="a firewall can do that: does this network need a proxy (HTTPS_PROXY)? Else try again",
)

_BY_NAME = {
    **dict.fromkeys(
        ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"), _NO_TLS
    ),
    **dict.fromkeys(
        ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE", "VERSION_TOO_LOW"),
        _OLD_VERSION,
    ),
    **dict.fromkeys(
        (
            "SSLV3_ALERT_HANDSHAKE_FAILURE",
            "TLSV1_ALERT_INSUFFICIENT_SECURITY",
            "NO_SHARED_CIPHER",
            "NO_CIPHERS_AVAILABLE",
        ),
        _NO_CIPHER,
    ),
    **dict.fromkeys(
        (
            "TLSV13_ALERT_CERTIFICATE_REQUIRED",
            "SSLV3_ALERT_BAD_CERTIFICATE",
            "SSLV3_ALERT_NO_CERTIFICATE",
            "TLSV1_ALERT_UNKNOWN_CA",
            "TLSV1_ALERT_ACCESS_DENIED",
        ),
        CLIENT_CERTIFICATE,
    ),
    **dict.fromkeys(
        ("DH_KEY_TOO_SMALL", "EE_KEY_TOO_SMALL", "BAD_ECPOINT", "UNSAFE_LEGACY_RENEGOTIATION_DISABLED"),
        _OLD_CRYPTOGRAPHY,
    ),
    **dict.fromkeys(("TLSV1_UNRECOGNIZED_NAME", "TLSV1_ALERT_UNRECOGNIZED_NAME"), _UNKNOWN_NAME),
    "UNEXPECTED_EOF_WHILE_READING": _CUT_OFF,
}
"""`SSLError.reason`: the names of OpenSSL's errors and of TLS alerts (RFC 8446 section 6.2)."""


def cause_of(error: BaseException) -> Cause | None:
    """Return why TLS failed; None if the error, and what led to it, is not of TLS."""
    for each in _chain(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            found = _BY_CODE.get(getattr(each, "verify_code", 0), _NOT_TRUSTED)
            now = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
            return Cause(reason=found.reason, hint=found.hint.format(now=now))
        if isinstance(each, ssl.SSLEOFError):
            return _CUT_OFF
        if isinstance(each, ssl.SSLError) and not isinstance(each, TimeoutError):
            return _BY_NAME.get(each.reason or "", Cause(reason=_words(each), hint="check the network, then try again"))
    return None


def _words(error: ssl.SSLError) -> str:
    return f"the TLS handshake failed ({(error.reason or type(error).__name__).replace('_', ' ').lower()})"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
