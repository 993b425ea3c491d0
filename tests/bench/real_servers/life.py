"""The steps of a life, and what counts as one that went well: exit status 0, and not one warning."""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE

from tests.bench.real_servers.parts import Client, Server, say
from tests.support.aging import age
from tests.support.commandline import Home, Result

ASKED = ("--store", "file")


@dataclass(kw_only=True)
class Report:
    """What happened so far at one server."""

    server: str
    failed: list[str] = field(default_factory=list)

    def step(self, name: str, result: Result, *, status: int = 0, said: str = "") -> bool:
        """Print one line, and below it what the command said where it is not what one expects."""
        wrong = [line for line in result.stderr.splitlines() if "warning" in line or "Traceback" in line]
        missing = said not in result.stderr
        good = result.status == status and not wrong and not missing
        say(f"{self.server:<22} {name:<34} {'ok' if good else 'WRONG'} (exit {result.status})")
        if not good:
            self.failed.append(name)
            for line in [*result.stdout.splitlines()[:3], *result.stderr.splitlines()]:
                say(f"{'':<22} | {line}")
        return good

    def holds(self, name: str, fact: bool) -> None:
        """Print one line about something that must be so."""
        say(f"{self.server:<22} {name:<34} {'ok' if fact else 'WRONG'}")
        if not fact:
            self.failed.append(name)


def live(name: str, server: Server, folder: Path) -> Report:
    """Drive the whole life with each client that the server has."""
    report = Report(server=name)
    lives = {"public": _person, "confidential": _person, "device": _device, "machine": _machine}
    for kind, client in server.clients.items():
        lives[kind](report, kind, server, client, Home(folder / f"home-{kind}"))
    return report


def _person(report: Report, kind: str, server: Server, client: Client, home: Home) -> None:
    if client.secret is not None:
        wrong = _login(home, server, client, "wrong", secret="wrong" + client.secret[1:])
        report.step(f"{kind}: wrong secret", wrong, status=5, said="client")
    if not report.step(f"{kind}: login", _login(home, server, client, "t")):
        return
    first = home.run("token", "-p", "t")
    report.step(f"{kind}: token", first)
    _expire(home, server)
    raced = home.race(2, "token", "-p", "t")
    for result in raced:
        report.step(f"{kind}: token after expiry, two at once", result)
    report.holds(f"{kind}: the same, new token", len({result.stdout for result in raced} | {first.stdout}) == 2)
    report.step(f"{kind}: refresh", home.run("refresh", "-p", "t"))
    report.step(f"{kind}: second login", _login(home, server, client, "t"))
    report.step(f"{kind}: token after second login", home.run("token", "-p", "t"))
    report.step(f"{kind}: refresh after second login", home.run("refresh", "-p", "t"))
    report.step(f"{kind}: show", home.run("show", "-p", "t"))
    if _revoke(report, kind, server, client, home):
        _dead(report, kind, server, home)


def _device(report: Report, kind: str, server: Server, client: Client, home: Home) -> None:
    if report.step(f"{kind}: login", _login(home, server, client, "t", "--flow", "device")):
        report.step(f"{kind}: token", home.run("token", "-p", "t"))
        _expire(home, server)
        report.step(f"{kind}: token after expiry", home.run("token", "-p", "t"))
        _revoke(report, kind, server, client, home)


def _revoke(report: Report, kind: str, server: Server, client: Client, home: Home) -> bool:
    """Revoke, or see why that is not possible here; tell whether the server ended the session."""
    kept = home.folder.with_name(f"{home.folder.name}-kept")
    shutil.copytree(home.folder, kept)
    told = "" if server.revokes else "offers no revocation"
    if server.only_secrets_revoke and client.secret is None:
        told = "only clients with a secret"
    refused = bool(told)
    report.step(f"{kind}: revoke", home.run("revoke", "-p", "t"), status=5 if refused else 0, said=told)
    if refused:
        report.step(f"{kind}: revoke --local", home.run("revoke", "-p", "t", "--local"))
    report.step(f"{kind}: token after revoke", home.run("token", "-p", "t"), status=4)
    shutil.rmtree(home.folder)
    kept.rename(home.folder)  # as a backup is restored: the session that the server has ended
    return not refused


def _dead(report: Report, kind: str, server: Server, home: Home) -> None:
    _expire(home, server)
    dead = home.run("token", "-p", "t")
    report.step(
        f"{kind}: token of a dead session", dead, status=4 if server.explains else 5, said="tokenctl login -p t"
    )
    if server.explains:
        report.step(f"{kind}: show of a dead session", home.run("show", "-p", "t"), status=4)


def _machine(report: Report, kind: str, server: Server, client: Client, home: Home) -> None:
    if report.step(f"{kind}: login", _login(home, server, client, "t", "--flow", "client-credentials")):
        report.step(f"{kind}: token", home.run("token", "-p", "t"))
        _expire(home, server)
        report.step(f"{kind}: token after expiry", home.run("token", "-p", "t"))
        _revoke(report, kind, server, client, home)


def _expire(home: Home, server: Server) -> None:
    if server.lives is None:
        age(home)  # the server's tokens live longer than anybody waits: the stored times are moved back
    else:
        time.sleep(server.lives + 1)


def _login(home: Home, server: Server, client: Client, profile: str, *words: str, secret: str | None = None) -> Result:
    secret = client.secret if secret is None else secret
    told = ["--issuer", server.issuer, "--client-id", client.client_id, *ASKED, *words]
    told += ["--scope", client.scope] if client.scope else []
    told += ["--port", str(client.port)] if client.port and not words else []
    told += ["--client-secret-stdin"] if secret is not None else []
    said: list[str] = []
    with home.start("login", "-p", profile, "--no-browser", "--timeout", "40s", *told, stdin=PIPE) as process:
        assert process.stderr is not None and process.stdout is not None and process.stdin is not None
        process.stdin.write(secret or "")
        process.stdin.close()
        for line in process.stderr:
            said.append(line)
            if line.startswith("http") and ("--flow" not in words or "?" in line):
                _visit(server.sign_in, line.strip(), said)
        stdout = process.stdout.read()
    return Result(status=process.returncode, stdout=stdout, stderr="".join(said))


def _visit(sign_in: Callable[[str], object], url: str, said: list[str]) -> None:
    def person() -> None:
        try:
            visit = sign_in(url)
            said.append(f"the person came to: {visit}\n"[:600])
        except Exception as reason:
            said.append(f"the person met: {reason!r}\n")

    threading.Thread(target=person, daemon=True).start()
