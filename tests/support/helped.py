"""A HOME that is signed in, and the clients of its helpers."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.servers.faulty_server import FaultyServer
from tests.support.aging import age
from tests.support.commandline import LONG, Home, Result
from tests.support.flows import refreshes


@dataclass(frozen=True, kw_only=True)
class Helped:
    """Profile `t` is signed in at the authority."""

    home: Home
    authority: FaultyServer

    @classmethod
    def signed_in(cls, folder: Path, authority: FaultyServer, **more: Any) -> Self:
        """Sign in, in a HOME in this folder."""
        helped = cls(home=Home(folder / "home"), authority=authority, **more)
        assert helped.home.login(authority.issuer).status == 0
        return helped

    def bind(self, *origins: str) -> None:
        """Let the profile answer for these origins."""
        assert self.home.run("profile", "set", "t", *(f"hosts+={origin}" for origin in origins)).status == 0

    def run(self, words: Sequence[str], environ: Mapping[str, str] = {}, stdin: str = "") -> Result:
        """Run a client to its end."""
        done = subprocess.run(
            words,
            env={**self.home.environ, **environ},
            cwd=self.home.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
        )
        return Result(status=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def admits(self, token: str) -> bool:
        """Tell whether the token is good."""
        return self.authority.sessions.access_claims(token) is not None

    @contextmanager
    def renewed(self, times: int) -> Iterator[None]:
        """Expect so many renewals."""
        before = refreshes(self.authority)
        yield
        assert refreshes(self.authority) - before == times

    @contextmanager
    def ended(self) -> Iterator[None]:
        """Let the token have ended, and the server have ended the session; sign in again afterwards."""
        self.authority.kill_session()
        age(self.home)
        yield
        assert self.home.login(self.authority.issuer).status == 0
