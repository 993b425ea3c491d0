"""The access token of a profile, held in memory for a program that runs for long: an HTTP client, the proxy.

A token that is fresh costs no lock, no file and no request. Else one thread asks the broker, and all who need the token
wait for its answer: however many they are, there is one renewal. The thread goes on when a waiter is interrupted, as a
renewal must. An event loop never waits in it.
"""

import os
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple, NoReturn
from weakref import WeakSet

from tokenctl.broker import asked
from tokenctl.errors import StoreError, TokenctlError
from tokenctl.handoff.access_token import AccessToken
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.vault import Vault

RENEWED_IN_VAIN = 60.0
"""Seconds for which a token that is as young and was refused as well is not renewed because of that."""
SHORT = 5.0
"""Seconds after which the broker is asked again when it could only give a token with less time left than wanted."""

_EARLIER = "make the last request before the program ends, or in a function of atexit"


class _Held(NamedTuple):
    """A token, the session that it is of, and until when (`time.monotonic`) it is used although it is not fresh."""

    token: AccessToken
    session: Session
    short_until: float


_Answer = AccessToken | BaseException
"""What the broker answered: a token, or what it raised."""


class LiveToken:
    """The access token of a profile, or one for a narrower target. Threads, tasks and event loops can share it.

    `target` has the scope, resource and audience to ask for; `min_ttl` is seconds, None means what the profile says.
    `vault` is the profile's, if it is open already.
    """

    def __init__(
        self,
        runtime: Runtime,
        profile: Profile,
        target: Mapping[str, Any] | None = None,
        min_ttl: int | None = None,
        vault: Vault | None = None,
    ) -> None:
        self.profile = profile
        self._runtime = runtime
        self._target = dict(target or {})
        self._min_ttl = min_ttl
        self._held: _Held | None = None
        self._in_vain: tuple[AccessToken, float] | None = None
        self._begin(vault)
        _all.add(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot pickle or deeply copy it: make a TokenAuth or RequestsAuth of its own in each process")

    def _begin(self, vault: Vault | None = None) -> None:
        """Begin with no lock, no vault and nobody who asks: also in a forked child, which has none of its parent's threads."""
        self._changing = threading.Lock()
        self._asking: Future[_Answer] | None = None
        self._vault = vault

    # -- a token ---------------------------------------------------------------------------------------

    def get(self) -> AccessToken:
        """Return a token that is fresh enough. Raises TokenctlError."""
        return self._at_hand() or _given(self._ask(None).result())

    async def async_get(self) -> AccessToken:
        """Do what `get` does, and leave the event loop free meanwhile."""
        return self._at_hand() or _given(await _result(self._ask(None)))

    def instead_of(self, refused: AccessToken) -> AccessToken | None:
        """Return another token than the one that an API refused: a newer one that is there, else a renewed one.

        None when a renewal has just not helped. Raises TokenctlError.
        """
        for _ in range(2):  # the first answer can be that of a thread that asked before the token was refused
            token = self._other(refused)
            if token is not None or self._is_in_vain(refused):
                return token
            token = _given(self._ask(refused).result())
            if token.value != refused.value:
                return token
        self._give_up(refused)  # the server gave the same token again
        return None

    async def async_instead_of(self, refused: AccessToken) -> AccessToken | None:
        """Do what `instead_of` does, and leave the event loop free meanwhile."""
        for _ in range(2):
            token = self._other(refused)
            if token is not None or self._is_in_vain(refused):
                return token
            token = _given(await _result(self._ask(refused)))
            if token.value != refused.value:
                return token
        self._give_up(refused)
        return None

    def refused_too(self, token: AccessToken) -> None:
        """Note that a token of `instead_of` was refused as well, or could not be tried.

        If the token is a new one, a further renewal would not help for a while. So an API that refuses every token does
        not cause a renewal for each request.
        """
        held = self._held
        if held is not None and held.token.value == token.value:
            age = self._runtime.now() - held.session.obtained_at
            if abs(age) < RENEWED_IN_VAIN:
                self._give_up(token)

    def _give_up(self, token: AccessToken) -> None:
        self._in_vain = token, time.monotonic() + RENEWED_IN_VAIN

    def _is_in_vain(self, token: AccessToken) -> bool:
        in_vain = self._in_vain
        return in_vain is not None and in_vain[0].value == token.value and time.monotonic() < in_vain[1]

    def _at_hand(self) -> AccessToken | None:
        held = self._held
        if held is None:
            return None
        if self._is_fresh(held.session):
            return held.token
        expired = held.session.expired(self._runtime.time_of(held.session))
        return held.token if time.monotonic() < held.short_until and not expired else None

    def _is_fresh(self, session: Session) -> bool:
        min_ttl = self.profile.min_ttl if self._min_ttl is None else self._min_ttl
        return session.fresh(self._runtime.time_of(session), min_ttl)

    def _other(self, refused: AccessToken) -> AccessToken | None:
        token = self._at_hand()
        return None if token is None or token.value == refused.value else token

    # -- asking the broker -----------------------------------------------------------------------------

    def _ask(self, refused: AccessToken | None) -> "Future[_Answer]":
        """Ask the broker in a thread, unless one asks already."""
        if sys.is_finalizing():  # Python takes its modules apart: a renewal could stop in the middle
            raise TokenctlError("no token can be asked for any more: Python is ending", hint=_EARLIER)
        with self._changing:
            if self._asking is not None:
                return self._asking
            future: Future[_Answer] = Future()
            future.set_running_or_notify_cancel()  # from here on nobody who waits for it can cancel it
            # Not a daemon: where there can be no worker, this thread does what must not be cut off.
            started = True
            try:
                threading.Thread(target=self._answer, args=(future, refused), name="tokenctl").start()
            except RuntimeError:  # no thread can be started: the interpreter is about to end, or a limit is reached
                started = False
            # After the start: if Ctrl-C interrupts the start, nobody waits for an answer that never comes.
            self._asking = future
        if not started:
            self._answer(future, refused)
        return future

    def _answer(self, future: "Future[_Answer]", refused: AccessToken | None) -> None:
        answer: _Answer
        try:
            session = self._of_broker(None if refused is None else refused.value)
            short_until = 0.0 if self._is_fresh(session) else time.monotonic() + SHORT
            self._held = held = _Held(self._token(session), session, short_until)
            answer = held.token
        except StoreError as error:  # such as a keyring that is locked or restarted just now
            answer = self._not_read(error, refused)
        except BaseException as error:
            answer = error
        with self._changing:
            self._asking = None
        future.set_result(answer)

    def _not_read(self, error: StoreError, refused: AccessToken | None) -> _Answer:
        """Return the held token while it lives, where the store cannot be read; the error if there is none."""
        held = self._held
        if held is None or held.token == refused or held.session.expired(self._runtime.time_of(held.session)):
            return error
        self._runtime.terminal.warning(f"could not renew ({error.message}); the token at hand is still used")
        self._held = held._replace(short_until=time.monotonic() + SHORT)
        return held.token

    def _of_broker(self, refused: str | None) -> Session:
        if self._vault is None:
            self._vault = vaults.open(self._runtime, self.profile)
        else:
            self._vault.follow()
        return asked.token(self._runtime, self._vault, self._target, self._min_ttl, refused)

    def _token(self, session: Session) -> AccessToken:
        return AccessToken(
            value=session.access_token,
            token_type=session.token_type,
            expires_at=session.expires_at,
            scope=session.scope,
            profile=self.profile.name,
        )


def _given(answer: _Answer) -> AccessToken:
    """Return the token, or raise the error: a copy for each who waits, because to raise an error changes it.

    The copy of a TokenctlError has no traceback of the broker, whose variables have tokens.
    """
    if isinstance(answer, AccessToken):
        return answer
    error = type(answer).__new__(type(answer), *answer.args)  # not `__init__`, which can have other arguments
    error.__dict__.update(answer.__dict__)
    raise error.with_traceback(None if isinstance(answer, TokenctlError) else answer.__traceback__)


async def _result(future: "Future[_Answer]") -> _Answer:
    """Wait for the answer in the event loop that runs: asyncio's, or another one that anyio knows, such as trio's."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        from anyio import CapacityLimiter, to_thread

        # A limiter of its own: a hundred tasks that wait must not use up the threads of the program's other tasks.
        return await to_thread.run_sync(future.result, abandon_on_cancel=True, limiter=CapacityLimiter(1))
    return await asyncio.wrap_future(future)


_all: "WeakSet[LiveToken]" = WeakSet()
"""The tokens of this process, for a forked child."""


def _begin_in_child() -> None:
    for each in _all:
        each._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
