"""The composition root: everything that touches the world, each opened on first use.

Pass the runtime on whole: naming one of its members opens what it names. This is the one module with
imports inside functions, so that a command pays only for what it does; and that is why it is long.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenctl.adapters import clock
from tokenctl.adapters.terminal import Terminal
from tokenctl.config import config_file as config
from tokenctl.errors import LoginRequired, TokenctlError, Unreachable, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.storage import ATTENDED, UNATTENDED, Store, Waiting, silent

if TYPE_CHECKING:
    from tokenctl.adapters.redirect_listener import Callback
    from tokenctl.broker.errand import Errand
    from tokenctl.oauth.client_auth import Client
    from tokenctl.oauth.wire import Request, Response
    from tokenctl.storage.journal import Journal
    from tokenctl.storage.memory_store import MemoryStore
    from tokenctl.storage.redo_log import RedoLog

Send = Callable[["Request"], "Response"]


class Runtime:
    """One run of the program. Tests give their own `send`, `now`, `sleep`, `entropy`, `uptime` or `store`."""

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        *,
        config_file: str | None = None,
        verbose: bool = False,
        send: Send | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        entropy: Callable[[int], bytes] = os.urandom,
        store: Store | None = None,
        uptime: Callable[[], tuple[str, int] | None] | None = None,
    ) -> None:
        self.environ = environ
        self.config_file = config_file
        self.terminal = Terminal(environ, verbose=verbose)
        self.sleep = sleep
        self.entropy = entropy
        self._now = now
        # Who sets the clock in a test means that one.
        self._uptime = uptime or (clock.uptime if now is time.time else lambda: None)
        self._send = send
        self._store = store
        self._told_of_keyring = False
        self._stores: dict[tuple[str, str, str | None], Store] = {}

    def now(self) -> int:
        """The time: integer epoch seconds."""
        return int(self._now())

    def clock(self) -> float:
        """The time to the millisecond, to tell what came first: epoch seconds."""
        return float(self._now())

    def time_of(self, session: Session) -> int:
        """Tell the time for a session, in epoch seconds: by the uptime if it was renewed since this boot."""
        boot_id, uptime = self._uptime() or (None, 0)
        return session.time(self.now(), boot_id, uptime)

    def boot_time(self) -> dict[str, Any]:
        """Make the members of a session that tie its times to this boot."""
        boot_id, uptime = self._uptime() or (None, 0)
        return {"boot_id": boot_id, "booted_at_ms": int(self._now() * 1000) - uptime if boot_id else None}

    @cached_property
    def config(self) -> config.Config:
        """The config file, read once."""
        return config.load(self.environ, self.config_file)

    def profile(self, name: str | None) -> Profile:
        """Pick the profile that `-p`, the environment or the config file means."""
        return config.choose(self.config, self.environ, name)

    def send(self, profile: Profile, request: "Request") -> "Response":
        """Send a request, trusting the profile's CA beside the system's."""
        if self._send is not None:
            return self._send(request)
        from tokenctl.adapters.transport import Transport

        self.terminal.detail(f"{request.method} {request.url.partition('?')[0]}")
        with self.terminal.patience(f"tokenctl: waiting for {request.url.split('/')[2]} "):
            return Transport(profile.ca_file).send(request)

    def folder(self, profile: Profile) -> Path:
        """The profile's private folder."""
        from tokenctl.storage.state_dir import profile_dir

        return profile_dir(self.environ, profile.name)

    def config_locked(self) -> AbstractContextManager[int]:
        """Hold the lock of the config file for a block."""
        from tokenctl.storage.lock import exclusive
        from tokenctl.storage.state_dir import profile_dir

        return exclusive(profile_dir(self.environ, ".config") / "lock")  # no profile has such a name

    def locked(self, profile: Profile, patience: float | None = None) -> AbstractContextManager[int]:
        """Hold the profile's lock for a block, which gets its descriptor; wait for it `patience` seconds at most.

        A session that nobody else can see needs none.
        """
        if profile.store == "memory":
            return nullcontext(-1)
        from tokenctl.storage.lock import DEADLINE, exclusive

        def waiting(pid: int | None) -> None:
            self.terminal.message(
                f"waiting for another tokenctl{f' (process {pid})' if pid else ''} to finish with {profile.name}"
            )

        return exclusive(
            self.folder(profile) / "lock", DEADLINE if patience is None else min(patience, DEADLINE), waiting
        )

    def has_redo_log(self, profile: Profile) -> bool:
        """Tell whether a renewed session may be on its way to the keyring, without loading what reads it."""
        return profile.store != "memory" and os.path.lexists(self.folder(profile) / "redo")

    def redo_log(self, profile: Profile) -> "RedoLog":
        """Open the profile's redo log."""
        from tokenctl.storage.redo_log import RedoLog

        return RedoLog(self.folder(profile), profile.name)

    def journal(self, profile: Profile) -> "Journal":
        """Open the profile's journal."""
        from tokenctl.storage.journal import Journal

        return Journal(self.folder(profile))

    def survive(self, job: "Errand", lock: int, present: Callable[["Runtime", "Errand"], Session]) -> Session:
        """Renew a session in a worker that outlives us and holds the lock; `present` is what it does.

        Where there can be no worker it is done here, with signals put off. Raises what `present` raises.
        """
        from tokenctl.adapters import worker_process as detached
        from tokenctl.broker import errand

        if self._send is None and self._store is None and detached.SURVIVES and sys.executable:
            try:
                with self.terminal.patience(f"tokenctl: waiting for {job.session.token_endpoint.split('/')[2]} "):
                    answer = detached.run("tokenctl.broker.worker", errand.dumps(job), self.environ, lock)
            except OSError as reason:  # no process more for this user, say: then it is done here
                self.terminal.detail(f"no worker could be started ({reason.strerror}); renewing without one")
            else:
                return self._outcome(answer)
        with detached.signals_put_off():
            return present(self, job)

    def _outcome(self, answer: str | None) -> Session:
        from tokenctl.broker import errand

        if answer is None:
            raise Unreachable("the renewal was cut off before its end", hint="try again", sent=True)
        done, said = errand.outcome(answer)
        for line in said.splitlines():
            self.terminal.alone(line)
        if isinstance(done, TokenctlError):
            raise done
        return done

    def store(self, profile: Profile) -> Store:
        """Open the store that keeps the profile's session: where the pin says, else where the profile says."""
        wanted = self.environ.get("TOKENCTL_STORE")
        found = self.pinned_store(profile)
        if found is not None and wanted not in (None, "", found.kind):
            raise UsageError(
                f"the session of {profile.name!r} is in the {found.kind} store, and {wanted} was asked for",
                hint=f"sign in again with 'tokenctl login -p {profile.name} --store {wanted}', or unset TOKENCTL_STORE",
            )
        return found or self.new_store(profile)

    def pinned_store(self, profile: Profile) -> Store | None:
        """Open the store that the profile's last login chose; None before the first one."""
        if self._store is not None or profile.store == "memory":
            return None
        from tokenctl.storage import pin

        found = pin.read(self.folder(profile))
        return None if found is None else self._open(profile, *found)

    def new_store(self, profile: Profile) -> Store:
        """Open the store for a login: what the profile asks for, else the platform's own keyring."""
        if self._store is not None:
            return self._store
        if profile.store == "memory":
            return self._memory
        return self._open(profile, profile.store, self._named_backend(profile))

    def prepare(self, profile: Profile, store: Store) -> None:
        """Before a person signs in, find out whether the store and the folder beside it would keep the session."""
        from tokenctl.storage.state_dir import check_writable

        check_writable(self.folder(profile))
        store.prepare(profile.name)

    def _named_backend(self, profile: Profile) -> str | None:
        """The keyring backend that the profile, or the keyring library's own variable, names."""
        return profile.keyring_backend or self.environ.get("PYTHON_KEYRING_BACKEND") or None

    def pin(self, profile: Profile, store: Store) -> None:
        """Remember where the profile's session is."""
        if store.kind != "memory" and self._store is None:
            from tokenctl.storage import pin

            pin.write(self.folder(profile), pin.Pin(store.kind, store.backend))

    @cached_property
    def _memory(self) -> "MemoryStore":
        from tokenctl.storage.memory_store import MemoryStore

        return MemoryStore()

    def _open(self, profile: Profile, kind: str, backend: str | None) -> Store:
        key = (kind, profile.name, backend)
        if key not in self._stores:
            deadline = ATTENDED if self.terminal.attended else UNATTENDED
            waiting = self._keyring_waits if self.terminal.attended and self.terminal.watched else silent
            if kind == "file":
                self._stores[key] = self._file_store(profile)
            elif backend == "keyring.backends.SecretService.Keyring" and find_spec("jeepney"):
                from tokenctl.storage.secret_service import SecretServiceStore

                slow = partial(self._keyring_store, kind, backend, deadline, waiting)
                self._stores[key] = SecretServiceStore(slow, deadline, kind, waiting)
            else:
                self._stores[key] = self._keyring_store(kind, backend, deadline, waiting)
        return self._stores[key]

    def _keyring_waits(self) -> None:
        if not self._told_of_keyring:
            self._told_of_keyring = True
            self.terminal.message(
                f"waiting for the keyring to answer (up to {ATTENDED:.0f} s; is there a password prompt?)"
            )

    def _keyring_store(self, kind: str, backend: str | None, deadline: float, waiting: Waiting) -> Store:
        from tokenctl.storage.backends import open_ring, open_session_ring
        from tokenctl.storage.keyring_store import KeyringStore

        ring = open_session_ring(deadline, waiting) if kind == "session" else open_ring(backend, deadline, waiting)
        return KeyringStore(ring, kind, deadline, waiting=waiting)

    def _file_store(self, profile: Profile) -> Store:
        from tokenctl.config.secret_sources import passphrase
        from tokenctl.storage.file_keyring import EncryptedFile
        from tokenctl.storage.keyring_store import KeyringStore

        ring = EncryptedFile(
            lambda _: self.folder(profile),
            lambda new: passphrase(self.environ, self.terminal, profile.passphrase_command, new=new),
        )
        # No deadline: a file answers, a person may type, and a prompt must run in the main thread.
        return KeyringStore(ring, "file", None, unlock=ring.unlock)

    def has_credentials(self, profile: Profile) -> bool:
        """Tell whether a machine's credentials are at hand without a login: its identity, its environment, a key file."""
        from tokenctl.config.secret_sources import from_environment

        name = "API_KEY" if profile.flow == "api-key" else "CLIENT_SECRET"
        return profile.flow == "workload" or bool(profile.client_key_file or from_environment(self.environ, name))

    def client_secret(self, profile: Profile, given: str | None = None, method: str | None = None) -> str | None:
        """Find the profile's client secret, key or API key: given now, in the environment, or kept at login.

        A private key is only ever taken for a `method` that signs with it, and never as a password.
        """
        from tokenctl.config.secret_sources import of_client

        signs = (method or profile.auth_method) == "private_key_jwt"
        if profile.client_key_file and not given and signs:
            return self._client_key(profile.client_key_file)
        name = "API_KEY" if profile.flow == "api-key" else "CLIENT_SECRET"
        return (
            given
            or of_client(self.environ, name, self.terminal, lines=signs)
            or self.store(profile).read_secret(profile.name)
        )

    def _client_key(self, name: str) -> str:
        from tokenctl.config.secret_sources import from_file

        try:
            path = Path(name).expanduser()
        except RuntimeError:  # ~ of nobody
            raise UsageError(f"client_key_file: there is no {name!r:.200}") from None
        return from_file(path, "client_key_file", self.terminal)

    def client_assertion(self, profile: Profile, client: "Client", audience: str) -> str:
        """Make a JWT with which the client proves who it is, for one request; see `assertion.client_assertion`."""
        from tokenctl.adapters import jwt_sign as assertion

        return assertion.client_assertion(
            client.client_id,
            audience,
            client.secret or "",
            symmetric=client.auth_method == "client_secret_jwt",
            now=self.now(),
            jti=self.entropy(16).hex(),
            algorithm=profile.assertion_algorithm,
            key_id=profile.client_key_id,
        )

    def identity_token(self, profile: Profile) -> str:
        """Get the token with which the job's platform says who it is; see `ambient.token`."""
        from tokenctl.identity import sources as ambient

        return ambient.token(
            ambient.Place(profile=profile, environ=self.environ, send=partial(self.send, profile)), self.now()
        )

    @contextmanager
    def listening(self, redirect_uri: str | None, port: int | None) -> Iterator["Callback"]:
        """Listen for the redirect of a sign-in."""
        from tokenctl.adapters.redirect_listener import listening

        with listening(redirect_uri, port) as callback:
            yield callback

    @property
    def has_browser(self) -> bool:
        """Tell whether a browser that the person sees can be opened from here."""
        from tokenctl.adapters import browser

        return browser.present(self.environ)

    def open_browser(self, url: str) -> None:
        """Open the person's browser."""
        from tokenctl.adapters import browser

        browser.open_url(url)

    def verify_id_token(self, profile: Profile, token: str, jwks_uri: str, **expected: Any) -> dict[str, Any]:
        """Fetch the issuer's keys and verify an ID token; see `id_token.verify`."""
        from tokenctl.adapters import jwt_verify as id_token
        from tokenctl.oauth.wire import Request

        return id_token.verify(token, self.send(profile, Request(url=jwks_uri)), **expected)

    def verify_signature(self, profile: Profile, token: str, jwks_uri: str, what: str) -> dict[str, Any]:
        """Fetch the issuer's keys and verify only a JWT's signature, `what` token it is; see `id_token.verify_signature`."""
        from tokenctl.adapters import jwt_verify as id_token
        from tokenctl.oauth.wire import Request

        return id_token.verify_signature(token, self.send(profile, Request(url=jwks_uri)), what=what)


def login_hint(profile: Profile) -> str:
    """Say how to sign in to a profile again."""
    return f"run 'tokenctl login -p {profile.name}'"


def logged_out(profile: Profile) -> LoginRequired:
    """Make the error for a profile without a session."""
    return LoginRequired(f"not signed in to {profile.name!r}", hint=login_hint(profile))
