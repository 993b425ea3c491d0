"""The ordinary way of the helpers: whose token is given, and what a client gets when there is none."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.handoff.conftest import Account
from tests.servers.faulty_server import json_reply
from tests.support.flows import always
from tokenctl.errors import TokenctlError
from tokenctl.handoff.helpers import again, answering
from tokenctl.handoff.helpers.question import Answer, Given, Question
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults

if TYPE_CHECKING:
    from tokenctl.handoff.helpers.question import Wants

GIT = "https://git.example.com"
OTHER = "https://other.example.com"
ABSENT = Answer(b"nothing here\n", 1)
ASKS_KNOWN = pytest.mark.skipif(
    again.name_of(Question("token", again="x"), "t") is None,
    reason="only Linux tells who asks, and not behind many shells",
)


class Plain:
    """A protocol whose answer is what it was given: a line for each token, or the failure."""

    def reads(self, words: Sequence[str], /) -> "str":
        raise NotImplementedError

    def read(self, words: Sequence[str], content: bytes, environ: object, /) -> Question:
        raise NotImplementedError

    def found(self, question: Question, given: Sequence[Given], now: int, /) -> Answer:
        lines = [f"{each.origin} {each.username} {each.header} {each.expires_at}\n" for each in given]
        return Answer("".join(lines).encode())

    def failed(self, question: Question, error: TokenctlError, /) -> Answer:
        return Answer(b"FAILED\n", error.exit_status, error.message, error.next_step)


def answer(account: Account, question: Question, name: str | None = None, **environ: str) -> Answer:
    """Answer a question as a process of its own would, in the account's environment."""
    runtime = Runtime({**account.environ, **environ})
    return answering.answer(runtime, name, Plain(), question)  # type: ignore[arg-type]


def token(
    account: Account, address: str = GIT, *, wants: str = "token", name: str | None = None, **more: object
) -> str:
    """Ask for a token and return it."""
    question = Question(wants, address, absent=ABSENT, **more)  # type: ignore[arg-type]
    done = answer(account, question, name)
    assert (done.status, done.error) == (0, ""), done.error
    return done.out.split()[3].decode()


def refused(account: Account, value: str, address: str = GIT) -> None:
    """Report a refused token, as git's `erase` does."""
    done = answer(account, Question("refusal", address, refused=value))
    assert (done.out, done.status, done.error) == (b"", 0, "")


def write(account: Account, text: str) -> None:
    """Add to the config file."""
    path = Path(account.environ["TOKENCTL_CONFIG"])
    path.write_text(path.read_text() + text)


def newest(account: Account) -> Session:
    """The session as the store has it."""
    runtime = Runtime(account.environ)
    session = vaults.open(runtime, runtime.profile("t")).newest()
    assert session is not None
    return session


@pytest.fixture
def bound(account: Account) -> Account:
    """The account, whose profile `t` is bound to the API and to git."""
    path = Path(account.environ["TOKENCTL_CONFIG"])
    path.write_text(path.read_text().replace("hosts = [", f'hosts = ["{GIT}", '))
    return account


OF_THE_STORE = ("TOKENCTL_STORE", "TOKENCTL_PASSPHRASE_FILE")
SECOND = f'[profiles.u]\nissuer = "https://u.example"\nclient_id = "c"\nhosts = ["{OTHER}", "{GIT}"]\n'


# -- which profile -----------------------------------------------------------------------------------------


def test_the_profile_that_binds_the_origin_gives_its_token(bound: Account) -> None:
    """In the shape that the config file has for that origin, and in no other one's."""
    write(bound, f'[profiles.t.host."{GIT}"]\nusername = "me"\nprefix = "token "\n')
    held = bound.session.access_token
    done = answer(bound, Question("token", GIT))
    assert done.out.startswith(f"{GIT} me token {held} ".encode())
    assert answer(bound, Question("token", bound.api.origin)).out.startswith(
        f"{bound.api.origin} oauth2 Bearer {held} ".encode()
    )
    assert bound.refreshes == 0


def test_an_unbound_origin_gets_the_protocols_own_answer(bound: Account) -> None:
    """Another host, port and scheme; and the bound one for a profile that does not bind it. Nothing is asked."""
    write(bound, SECOND.replace(f', "{GIT}"', ""))
    before = len(bound.server.requests)
    for address in (
        "https://example.com",
        f"{GIT}:8443",
        "http://git.example.com",
        "//git.example.com:80",
        "//example.com",
    ):
        assert answer(bound, Question("token", address, absent=ABSENT)) is ABSENT
    assert answer(bound, Question("token", GIT, absent=ABSENT), "u") is ABSENT
    assert answer(bound, Question("token", GIT, absent=ABSENT), TOKENCTL_PROFILE="u") is ABSENT
    assert answer(bound, Question("token", OTHER, absent=ABSENT), "t") is ABSENT
    assert len(bound.server.requests) == before


def test_a_host_without_a_scheme_that_two_profiles_bind_is_an_error_that_names_both(bound: Account) -> None:
    """Also where one of them binds it with http, and the other with https: nobody can know which account is meant."""
    write(bound, SECOND.replace(f', "{GIT}"', "").replace(OTHER, bound.api.origin.replace("http:", "https:")))
    done = answer(bound, Question("token", bound.api.origin.removeprefix("http:"), absent=ABSENT))
    assert (done.out, done.status) == (b"FAILED\n", 2) and "'t' and 'u'" in done.error
    assert answer(bound, Question("token", bound.api.origin, absent=ABSENT)).status == 0


@pytest.mark.parametrize("address", [OTHER, OTHER.removeprefix("https:")])
def test_a_mistake_in_a_profile_that_may_be_meant_is_no_silence(bound: Account, address: str) -> None:
    """The profile that has the host in its text cannot be read: the reason is told. A profile that is named is read alone."""
    write(bound, SECOND.replace('client_id = "c"', "client_id = 5"))
    done = answer(bound, Question("token", address, absent=ABSENT))
    assert done is not ABSENT and done.status == 2 and "client_id" in done.error
    assert answer(bound, Question("token", address, absent=ABSENT), "t") is ABSENT
    assert answer(bound, Question("token", GIT, absent=ABSENT)).status == 0


def test_a_host_without_a_scheme_is_the_bound_origin(bound: Account) -> None:
    """Its port is the one of the origin."""
    assert {token(bound, f"//git.example.com{port}") for port in ("", ":443")} == {bound.session.access_token}


def test_two_profiles_that_bind_one_origin_are_an_error_that_names_both(bound: Account) -> None:
    """With a name there is no question."""
    write(bound, SECOND)
    every: tuple[Wants, ...] = ("token", "binding", "refusal")
    for wants in every:
        done = answer(bound, Question(wants, GIT, absent=ABSENT))
        assert (done.out, done.status) == (b"FAILED\n", 2) and "'t' and 'u'" in done.error
    assert token(bound, name="t") == bound.session.access_token


def test_a_profile_that_is_not_there_is_an_error(bound: Account) -> None:
    """Not the protocol's answer for an unbound origin."""
    assert "no profile 'nobody'" in answer(bound, Question("token", GIT, absent=ABSENT), "nobody").error


def test_a_job_gets_a_persons_token_only_by_name(bound: Account) -> None:
    """With CI set: an error without a name, the token with one, and silence for a host that nobody binds."""
    done = answer(bound, Question("token", GIT), CI="true")
    assert done.status == 2 and "only by name" in done.error
    assert answer(bound, Question("token", GIT), "t", CI="true").status == 0
    assert answer(bound, Question("token", GIT), TOKENCTL_PROFILE="t", CI="true").status == 0
    assert answer(bound, Question("token", "https://example.com", absent=ABSENT), CI="true") is ABSENT


def test_the_profile_of_the_environment_needs_its_hosts(bound: Account) -> None:
    """A job describes its client and its hosts in variables."""
    job = {
        "TOKENCTL_ISSUER": bound.server.issuer,
        "TOKENCTL_CLIENT_ID": "tokenctl-demo-ci",
        "TOKENCTL_CLIENT_SECRET": "demo-ci-secret",
        "CI": "true",
    }
    bound = replace(bound, environ={name: value for name, value in bound.environ.items() if name not in OF_THE_STORE})
    assert answer(bound, Question("token", GIT, absent=ABSENT), **job) is ABSENT
    done = answer(bound, Question("token", OTHER, absent=ABSENT), TOKENCTL_HOSTS=OTHER, **job)
    assert done.out.startswith(f"{OTHER} oauth2 Bearer ".encode()), done.error
    assert bound.session.access_token.encode() not in done.out


def test_another_user_name_than_ours_is_another_account(bound: Account) -> None:
    """The client asks its next helper for it."""
    assert answer(bound, Question("token", GIT, user="somebody", absent=ABSENT)) is ABSENT
    assert token(bound, user="oauth2") == bound.session.access_token


# -- no token ----------------------------------------------------------------------------------------------


def test_an_expired_token_is_renewed_unnoticed(bound: Account) -> None:
    """One renewal, and the new token."""
    bound.age()
    new = token(bound)
    assert new != bound.session.access_token and token(bound) == new and bound.refreshes == 1


def test_a_dead_session_says_how_to_sign_in(bound: Account) -> None:
    """It is a failure, never the answer for an unbound origin."""
    bound.age()
    bound.server.kill_session()
    for _ in range(2):
        done = answer(bound, Question("token", GIT, absent=ABSENT))
        assert (
            done.out == b"FAILED\n" and done.status in (3, 4) and "tokenctl login -p t" in f"{done.error} {done.hint}"
        )


def test_a_server_that_is_down_is_a_failure_only_without_a_token(bound: Account) -> None:
    """A token that lives is given all the same."""
    bound.server.stop()
    assert token(bound) == bound.session.access_token
    bound.age()
    assert answer(bound, Question("token", GIT)).out == b"FAILED\n"


def test_a_store_that_cannot_be_opened_is_a_failure_with_its_reason(bound: Account) -> None:
    """Without a traceback."""
    done = answer(bound, Question("token", GIT), TOKENCTL_PASSPHRASE_FILE="/nonexistent")
    assert done.out == b"FAILED\n" and done.status and done.error


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "é", "\x7f", "\u2028"])
def test_a_token_that_no_header_can_have_is_a_failure(bound: Account, character: str) -> None:
    """It could begin another header, or another line of the protocol."""
    bound.age(left=840, session=replace(bound.session, access_token=f"a{character}b"))
    done = answer(bound, Question("token", GIT))
    assert done.out == b"FAILED\n" and "no header can have" in done.error and f"a{character}b" not in done.error


# -- several tokens, and none ------------------------------------------------------------------------------


def test_origins_and_bindings_are_told_without_a_token(bound: Account) -> None:
    """Nothing is asked, and no session is read: the store cannot be opened."""
    write(bound, SECOND.replace(f', "{GIT}"', ""))
    shut = {"TOKENCTL_PASSPHRASE_FILE": "/nonexistent"}
    listed = answer(bound, Question("origins"), **shut).out.decode().split("\n")
    assert [line.split()[0] for line in listed if line] == [GIT, bound.api.origin, OTHER]
    assert answer(bound, Question("binding", GIT, answer=ABSENT), **shut) is ABSENT
    assert answer(bound, Question("nothing", answer=ABSENT), **shut) is ABSENT
    assert len(answer(bound, Question("origins"), "t", **shut).out.splitlines()) == 2


def test_every_token_is_that_of_https_origins_and_of_profiles_that_live(
    bound: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dead profile is left out with its reason on stderr; only where no profile is left it is a failure."""
    write(bound, SECOND.replace(f', "{GIT}"', ""))
    done = answer(bound, Question("every token"))
    assert [line.split()[0] for line in done.out.decode().splitlines()] == [GIT] and done.status == 0
    assert "u: " in capsys.readouterr().err
    alone = answer(bound, Question("every token"), "u")
    assert (alone.out, alone.error) == (b"", "") and alone.status != 0
    assert "u: " in capsys.readouterr().err


def test_every_token_leaves_out_each_origin_that_two_profiles_bind(
    bound: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where it is not the first one of a profile; the reason names both, once."""
    write(bound, SECOND.replace(OTHER, "https://u.example.com"))
    path = Path(bound.environ["TOKENCTL_CONFIG"])
    path.write_text(path.read_text().replace("hosts = [", f'hosts = ["{OTHER}", ', 1))
    done = answer(bound, Question("every token"))
    assert [line.split()[0] for line in done.out.decode().splitlines()] == [OTHER] and done.status == 0
    assert capsys.readouterr().err.count(f"'t' and 'u' are both bound to {GIT}") == 1


# -- refused -----------------------------------------------------------------------------------------------


def test_a_refused_token_is_renewed_once_however_many_report_it(bound: Account) -> None:
    """Five clients report it and ask again, all at once: one renewal, and the new token for each."""
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: refused(bound, bound.session.access_token), range(5)))
        found = set(pool.map(lambda _: token(bound), range(5)))
    assert len(found) == 1 and bound.session.access_token not in found and bound.refreshes == 1
    refused(bound, bound.session.access_token)  # by one who is late
    assert {token(bound)} == found and bound.refreshes == 1


@pytest.mark.parametrize("value", ["", "other", "\ud800", "é", "oauth2"])
def test_another_value_changes_nothing(bound: Account, value: str) -> None:
    """Nor does the token, when it is reported for an origin that is not bound."""
    refused(bound, value)
    answer(bound, Question("refusal", "https://example.com", refused=bound.session.access_token))
    assert token(bound) == bound.session.access_token and bound.refreshes == 0


def test_a_refused_token_is_not_given_while_no_renewal_is_possible(bound: Account) -> None:
    """The failure is told; when the server is there again, the next client gets another one."""
    refused(bound, bound.session.access_token)
    bound.server.overrides = {"/token": always(json_reply({"error": "temporarily_unavailable"}, 503))}
    assert answer(bound, Question("token", GIT)).out == b"FAILED\n"
    bound.server.overrides = {}
    assert token(bound) != bound.session.access_token


@pytest.mark.parametrize("known", ["go", ""])
def test_a_client_that_says_it_was_refused_gets_another_token(bound: Account, known: str) -> None:
    """The first such question renews, and those that follow at once do not, also where nobody can tell who asks."""
    found = [token(bound, wants="another token", again=known) for _ in range(4)]
    assert bound.session.access_token not in found and len(set(found)) == 1 and bound.refreshes == 1


@ASKS_KNOWN
def test_each_client_can_say_of_the_token_that_it_got_that_it_was_refused(bound: Account) -> None:
    """Also of one that had just replaced another one; who still has the older token gets what is there."""
    first, other = "go", "go of another process"
    token(bound, again=other)
    replaced = token(bound, wants="another token", again=first)
    assert token(bound, wants="another token", again=other) == replaced and bound.refreshes == 1
    assert token(bound, again="a third process") == replaced
    assert token(bound, wants="another token", again="a third process") != replaced and bound.refreshes == 2


def test_a_refused_token_is_known_in_the_middle_of_a_renewal(bound: Account) -> None:
    """There it stands beside the refresh token that rotated, in the next generation."""
    old = token(bound, again="c")
    session = newest(bound)
    bound.keep(replace(session, generation=session.generation + 1))
    assert newest(bound).generation == session.generation + 1
    assert token(bound, wants="another token", again="c") != old and bound.refreshes == 1


@ASKS_KNOWN
def test_a_client_that_asks_again_too_early_was_refused(bound: Account) -> None:
    """It gets another token once; within five minutes no other one, whatever it asks."""
    first = token(bound, again="cluster")
    assert first == bound.session.access_token and token(bound, again="another cluster") == first
    second = token(bound, again="cluster")
    assert second != first and bound.refreshes == 1
    assert {token(bound, again="cluster") for _ in range(3)} == {second} and bound.refreshes == 1
    assert token(bound) == second  # a client that looks at the end is not suspected


@ASKS_KNOWN
def test_a_server_that_refuses_every_token_costs_one_renewal_however_many_clients_ask(bound: Account) -> None:
    """Two clients ask by turns, again and again; a third one gets what they have."""
    found = [token(bound, again=client) for _ in range(4) for client in ("kubectl|a", "bazel|b")]
    assert bound.refreshes == 1 and token(bound, again="api-key") == found[-1]


@ASKS_KNOWN
@pytest.mark.parametrize(("code", "status"), [("temporarily_unavailable", 503), ("unauthorized_client", 400)])
def test_a_client_that_only_asks_again_keeps_its_token_while_no_renewal_is_possible(
    bound: Account, code: str, status: int
) -> None:
    """It may not have been refused. When the server gives tokens again, it gets another one."""
    first = token(bound, again="x")
    bound.server.overrides = {"/token": always(json_reply({"error": code}, status))}
    assert token(bound, again="x") == first
    bound.server.overrides = {}
    assert token(bound, again="x") != first


@ASKS_KNOWN
def test_a_client_that_only_asks_again_hears_that_the_session_is_dead(bound: Account) -> None:
    """Nothing else would tell it why it is refused."""
    token(bound, again="x")
    bound.server.kill_session()
    done = answer(bound, Question("token", GIT, again="x"))
    assert done.out == b"FAILED\n" and "tokenctl login -p t" in (done.hint or "")


@ASKS_KNOWN
def test_a_client_is_not_suspected_after_the_token_changed(bound: Account) -> None:
    """Somebody else has renewed it; what is remembered has no token."""
    token(bound, again="x")
    bound.age()  # another process renews it
    new = token(bound)
    assert token(bound, again="x") == new and bound.refreshes == 1
    files = list(Path(bound.environ["TOKENCTL_STATE_DIR"], again.FOLDER).iterdir())
    assert all(each.stat().st_mode & 0o777 == 0o600 and new.encode() not in each.read_bytes() for each in files)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
def test_the_answer_does_not_depend_on_what_is_remembered(bound: Account) -> None:
    """The folder is a file, or has what nobody understands: the token is given."""
    folder = Path(bound.environ["TOKENCTL_STATE_DIR"], again.FOLDER)
    folder.write_text("")
    assert {token(bound, again="x") for _ in range(3)} == {bound.session.access_token}
    refused(bound, bound.session.access_token)
    folder.unlink()
    folder.mkdir(mode=0o700)
    (folder / "refused.t").write_bytes(b"\xff" * 300)
    assert token(bound, again="x") == bound.session.access_token


def test_a_longer_life_is_asked_for_by_the_question(bound: Account) -> None:
    """A client that keeps a token unseen gets one that lives so long; half of a token's life is the most."""
    bound.age(left=200)
    assert token(bound) == bound.session.access_token and bound.refreshes == 0
    assert token(bound, min_ttl=360) != bound.session.access_token and bound.refreshes == 1
    assert answer(bound, Question("token", GIT, min_ttl=10**6)).status == 0
