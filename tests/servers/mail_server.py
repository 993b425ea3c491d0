"""A mail server, SMTP and IMAP, that lets in whoever signs in with a token of the demo's authorization server.

It speaks just enough for a sign-in with OAUTHBEARER (RFC 7628) or XOAUTH2, and takes a mail. It is strict about the
bytes: a response that is not exactly as the mechanism has it is refused.
"""

import re
import socketserver
import threading
from base64 import b64decode, b64encode
from types import TracebackType
from typing import Self

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import LONG

USER = "you@example.com"
"""The only user."""
FAILURE = b64encode(b'{"status":"invalid_token"}').decode()
"""What a server says before it refuses; the client must answer it (RFC 7628 section 3.2.2)."""
_RESPONSES = {
    "OAUTHBEARER": r"n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer ([!-~]+)\x01\x01",
    "XOAUTH2": r"user={user}\x01auth=Bearer ([!-~]+)\x01\x01",
}


class MailServer:
    """The server, for a `with` block. `signed_in` has the mechanism of each sign-in, `mails` what was sent."""

    def __init__(self, authority: FaultyServer) -> None:
        self.signed_in: list[str] = []
        self.refused: list[str] = []
        self.mails: list[bytes] = []
        self._authority = authority
        self._listeners = [_Listener(self, _Smtp), _Listener(self, _Imap)]
        self.smtp, self.imap = (listener.server_address[1] for listener in self._listeners)

    def admits(self, mechanism: str, response: str, port: int) -> bool:
        """Tell whether the response is one of the mechanism, for this port, with a token that is good."""
        pattern = _RESPONSES[mechanism].format(user=re.escape(USER), host=re.escape("127.0.0.1"), port=port)
        found = re.fullmatch(pattern, b64decode(response, validate=True).decode())
        good = found is not None and self._authority.sessions.access_claims(found[1]) is not None
        (self.signed_in if good else self.refused).append(mechanism)
        return good

    def forget(self) -> None:
        """Forget what was there."""
        for each in (self.signed_in, self.refused, self.mails):
            each.clear()

    def __enter__(self) -> Self:
        for listener in self._listeners:
            threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listener in self._listeners:
            listener.shutdown()
            listener.server_close()


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, mail: MailServer, protocol: type["_Connection"]) -> None:
        self.mail = mail
        super().__init__(("127.0.0.1", 0), protocol)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print no traceback: the client has gone away."""


class _Connection(socketserver.StreamRequestHandler):
    """What both protocols share: lines of text, and the sign-in."""

    server: _Listener
    timeout = LONG

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def line(self) -> str:
        line = self.rfile.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the client has gone away")
        return line[:-2].decode()

    def sign_in(self, mechanism: str, response: str, challenge: str) -> bool:
        """Judge the initial response; ask for it where there is none. `challenge` begins what the server asks."""
        if not response:
            self.say(challenge)
            response = self.line()
        port: int = self.server.server_address[1]
        if self.server.mail.admits(mechanism, response, port):
            return True
        self.say(f"{challenge}{FAILURE}")
        self.line()  # AQ== as the RFC has it; empty from msmtp
        return False


class _Smtp(_Connection):
    """RFC 5321, with AUTH (RFC 4954)."""

    def handle(self) -> None:
        admitted = False
        self.say("220 mail.example ESMTP")
        while True:
            verb, _, rest = self.line().partition(" ")
            match verb.upper():
                case "EHLO":
                    self.say("250-mail.example")
                    self.say(f"250 AUTH {' '.join(_RESPONSES)}")
                case "AUTH":
                    mechanism, _, response = rest.partition(" ")
                    admitted = self.sign_in(mechanism.upper(), response, "334 ")
                    self.say("235 welcome" if admitted else "535 5.7.8 this token is not good")
                case "DATA" if admitted:
                    self.say("354 go on")
                    lines = []
                    while (line := self.line()) != ".":
                        lines.append(line)
                    self.server.mail.mails.append("\n".join(lines).encode())
                    self.say("250 taken")
                case "QUIT":
                    self.say("221 bye")
                    return
                case "MAIL" | "RCPT" if admitted:
                    self.say("250 well")
                case _:
                    self.say("530 5.7.0 sign in first")


class _Imap(_Connection):
    """RFC 9051, with AUTHENTICATE and the initial response (RFC 4959)."""

    def handle(self) -> None:
        self.say("* OK ready")
        while True:
            tag, verb, *rest = self.line().split(" ")
            match verb.upper():
                case "CAPABILITY":
                    self.say(f"* CAPABILITY IMAP4rev1 SASL-IR {' '.join(f'AUTH={each}' for each in _RESPONSES)}")
                    self.say(f"{tag} OK done")
                case "AUTHENTICATE":
                    admitted = self.sign_in(rest[0].upper(), "".join(rest[1:]), "+ ")
                    self.say(f"{tag} OK welcome" if admitted else f"{tag} NO this token is not good")
                case "LOGOUT":
                    self.say("* BYE until later")
                    self.say(f"{tag} OK done")
                    return
                case _:
                    self.say(f"{tag} BAD sign in first")
