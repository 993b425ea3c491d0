"""RequestsAuth: a fresh token in each request to a bound origin, one renewal for all, and no token anywhere else."""

import io
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

import tokenctl
from tests.handoff.conftest import Account, Answer, Api, Asked
from tests.servers.faulty_server import Reply, json_reply
from tests.support.commandline import LONG
from tests.support.flows import always

MANY = 50


def session_of(auth: tokenctl.RequestsAuth | None = None) -> requests.Session:
    """A session that signs with profile `t`, or with an auth that is shared, and does not look at the environment."""
    session = requests.Session()
    session.trust_env = False
    session.auth = auth or tokenctl.RequestsAuth("t")
    return session


def authorizations(api: Api) -> list[str | None]:
    """The header of each request that a server got."""
    return [each.authorization for each in api.asked]


class StandIn(HTTPAdapter):
    """Sends nothing: answers what a test wants for a URL, else 200, and keeps each header Authorization by the URL."""

    def __init__(self, answers: Mapping[str, tuple[int, list[tuple[str, str]]]] = {}) -> None:
        super().__init__()
        self.answers = answers
        self.seen: list[tuple[str, str | bytes | None]] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer."""
        url = request.url or ""
        self.seen.append((url, request.headers.get("Authorization")))
        status, headers = self.answers.get(url, (200, []))
        raw = HTTPResponse(io.BytesIO(), HTTPHeaderDict(headers), status, preload_content=False)
        return self.build_response(request, raw)


def mounted(adapter: StandIn, origins: str | list[str]) -> requests.Session:
    """A session with a stand-in for the network."""
    session = session_of(tokenctl.RequestsAuth("t", origins=origins))
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


# -- one renewal -----------------------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.parametrize("refused", [False, True], ids=["expired", "refused"])
@pytest.mark.parametrize("shared", [True, False], ids=["one session", "a session for each"])
def test_fifty_threads_renew_once(account: Account, refused: bool, shared: bool) -> None:
    """Whether the token is known to have expired or the API refuses it: one refresh, and all requests succeed."""
    account.server.expire_access_tokens()
    if not refused:
        account.age()
    auth, barrier = tokenctl.RequestsAuth("t"), threading.Barrier(MANY)
    sessions = [session_of(auth)] * MANY if shared else [session_of(auth) for _ in range(MANY)]

    def ask(session: requests.Session) -> int:
        barrier.wait(LONG)
        return session.get(account.api.origin, timeout=LONG).status_code

    with ThreadPoolExecutor(MANY) as pool:
        assert list(pool.map(ask, sessions)) == [200] * MANY
    assert account.refreshes == 1
    for session in sessions:
        session.close()


def test_the_refused_request_is_in_the_history_of_its_answer(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    """It is sent again on the same connection, and with the cookies of the refusal, as requests does for digest."""

    class WithCookie(Api):
        def checked(self, asked: Asked) -> Answer:
            answer = super().checked(asked)
            return Answer(status=answer.status, headers={"Set-Cookie": "node=7", **answer.headers})

    account.server.expire_access_tokens()
    caplog.set_level(logging.DEBUG, "urllib3")
    with WithCookie(account.server) as api, session_of(tokenctl.RequestsAuth("t", origins=api.origin)) as session:
        answer = session.get(f"{api.origin}/a", stream=True)
        assert [each.status_code for each in [*answer.history, answer]] == [401, 200]
        assert [each.headers.get("cookie") for each in api.asked] == [None, "node=7"]
        assert session.cookies.get_dict() == {"node": "7"}
    assert caplog.text.count("new HTTP connection") == 1


def test_an_api_that_refuses_everything_causes_one_renewal(account: Account) -> None:
    """The second 401 is returned, and no later 401 renews again, also of a body that cannot be sent again."""
    account.api.answers["/"] = Answer(status=401)
    with session_of() as session:
        statuses = [session.get(account.api.origin).status_code for _ in range(3)]
        statuses += [session.post(account.api.origin, data=iter([b"x"])).status_code for _ in range(3)]
    assert (statuses, account.refreshes, len(account.api.asked)) == ([401] * 6, 1, 7)


@pytest.mark.parametrize(
    ("lines", "renewed"),
    [
        (['Basic realm="x"'], False),
        (['Bearer error="insufficient_scope"'], False),
        (['Bearer error="insufficient_user_authentication"'], False),
        (['Basic realm="x"', "Bearer"], True),
        (['Basic realm="x', 'Bearer error="invalid_token"'], True),
        (['Basic realm="x', 'Bearer error="insufficient_scope"'], False),
        ([], True),
    ],
)
def test_the_challenges_say_whether_a_new_token_can_help(account: Account, lines: list[str], renewed: bool) -> None:
    """Each line of the header is read by itself, so a mistake in one does not hide the next."""
    url = "https://api.example/"
    adapter = StandIn({url: (401, [("WWW-Authenticate", line) for line in lines])})
    assert mounted(adapter, "https://api.example").get(url).status_code == 401
    assert (account.refreshes, len(adapter.seen)) == ((1, 2) if renewed else (0, 1))


def test_a_renewal_that_fails_for_a_while_leaves_the_401(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    """The program gets the API's answer, and the log says why there is no other."""
    account.api.answers["/"] = Answer(status=401)
    account.server.overrides["/token"] = always(Reply(status=503))
    with session_of() as session:
        answer = session.get(account.api.origin)
    assert (answer.status_code, answer.text) == (401, "{}")
    assert "could not be renewed" in caplog.text
    assert account.session.access_token not in caplog.text


def test_a_renewal_that_fails_for_good_is_an_error(account: Account) -> None:
    """A person has to sign in again: the program gets that error, without a token in it."""
    account.api.answers["/"] = Answer(status=401)
    account.server.overrides["/token"] = always(json_reply({"error": "invalid_grant"}, 400))
    with session_of() as session, pytest.raises(tokenctl.LoginRequired) as caught:
        session.get(account.api.origin)
    assert account.session.access_token not in f"{caught.value!r} {caught.value}"


# -- bodies ----------------------------------------------------------------------------------------


Body = Callable[[Path], dict[str, Any]]


def from_its_middle(path: Path) -> io.BufferedReader:
    """A file that the program has read from."""
    file = path.open("rb")
    file.seek(4)
    return file


AGAIN: dict[str, Body] = {
    "nothing": lambda path: {},
    "bytes": lambda path: {"data": b"the content"},
    "text": lambda path: {"data": "the content"},
    "form": lambda path: {"data": {"a": "the content"}},
    "json": lambda path: {"json": ["the content"]},
    "multipart": lambda path: {"files": {"a": path.open("rb")}},
    "file": lambda path: {"data": path.open("rb")},
    "file from its middle": lambda path: {"data": from_its_middle(path)},
    "bytes as a file": lambda path: {"data": io.BytesIO(b"the content")},
}


@pytest.mark.parametrize("kind", AGAIN)
def test_a_body_that_can_be_sent_again_is(account: Account, tmp_path: Path, kind: str) -> None:
    """After a 401 the same body goes out with the renewed token."""
    account.server.expire_access_tokens()
    (tmp_path / "file").write_bytes(b"the content")
    body = AGAIN[kind](tmp_path / "file")
    with session_of() as session:
        assert session.post(account.api.origin, **body).status_code == 200
    for file in (body.get("data"), (body.get("files") or {}).get("a")):
        if isinstance(file, io.IOBase):
            file.close()
    first, second = account.api.asked
    assert first.body == second.body and (b"content" in first.body or kind == "nothing")
    assert first.authorization != second.authorization


def parts() -> Iterator[bytes]:
    """A body that is made while it is sent."""
    yield b"con"
    yield b"tent"


def pipe() -> io.BufferedReader:
    """A file that has only one direction."""
    reading, writing = os.pipe()
    os.write(writing, b"content")
    os.close(writing)
    return os.fdopen(reading, "rb")


@pytest.mark.parametrize("body", [parts, pipe])
def test_a_body_that_cannot_be_sent_again_is_not(account: Account, body: Callable[[], Any]) -> None:
    """The program gets the 401, and its next request has the renewed token."""
    account.server.expire_access_tokens()
    with session_of() as session:
        for expected in (401, 200):
            data = body()
            assert session.post(account.api.origin, data=data).status_code == expected
            data.close()
    assert [each.body for each in account.api.asked] == [b"content"] * 2
    assert account.refreshes == 1


# -- requests of the program -----------------------------------------------------------------------


def test_an_adapter_that_does_not_say_who_sends_again_leaves_the_401(account: Account) -> None:
    """One of the program's own, such as for tests; its answers cause one renewal."""

    class Refusing(requests.adapters.BaseAdapter):
        def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
            response = requests.Response()
            response.status_code, response.request, response.url = 401, request, str(request.url)
            return response

        def close(self) -> None:
            """Do nothing."""

    with requests.Session() as session:
        session.auth = tokenctl.RequestsAuth("t")
        session.mount(account.api.origin, Refusing())
        assert [session.get(account.api.origin).status_code for _ in range(3)] == [401] * 3
    assert account.refreshes == 1


@pytest.mark.parametrize("of_session", [True, False])
def test_the_programs_own_credentials_stay(account: Account, of_session: bool) -> None:
    """A header Authorization of the request or of the session is sent as it is."""
    own = {"authorization": "Bearer mine"}
    with session_of() as session:
        session.headers.update(own if of_session else {})
        assert session.get(account.api.origin, headers={} if of_session else own).status_code == 401
    assert (authorizations(account.api), account.refreshes) == (["Bearer mine"], 0)


def test_a_prepared_request_can_be_sent_again(account: Account) -> None:
    """Its token has aged meanwhile, and the API refuses it: it is renewed each time."""
    with session_of() as session:
        request = session.prepare_request(requests.Request("GET", account.api.origin))
        for _ in range(3):
            assert session.send(request).status_code == 200
            account.server.expire_access_tokens()
    assert account.refreshes == 2


def test_a_session_that_ends_with_raise_for_status_sees_only_the_last_answer(account: Account) -> None:
    """A hook of the program comes after ours, so it does not see the 401 that was mended."""
    account.server.expire_access_tokens()
    with session_of() as session:
        session.hooks["response"].append(lambda answer, **_: answer.raise_for_status())
        assert session.get(account.api.origin).status_code == 200


def test_the_netrc_file_does_not_replace_the_token(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library reads it only for a request without an auth."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    answer = requests.get(account.api.origin, auth=tokenctl.RequestsAuth("t"))
    assert answer.status_code == 200


def test_without_requests_the_error_says_how_to_install_it(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no dependency of tokenctl; the name can be imported even so."""
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(tokenctl.UsageError) as caught:
        tokenctl.RequestsAuth("t")
    assert caught.value.hint == "pip install requests"


# -- no token anywhere else ------------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_does_not_take_the_token_to_another_origin(account: Account, status: int, method: str) -> None:
    """Another port, another name of this machine, and back again: only the bound origin gets the token."""
    with Api() as other, session_of() as session:
        for target in (other.origin, f"http://localhost:{other.port}", f"//127.0.0.1:{other.port}"):
            account.api.answers["/go"] = Answer(status=status, headers={"Location": target})
            assert session.request(method, f"{account.api.origin}/go").status_code == 200
        other.answers["/back"] = Answer(status=status, headers={"Location": f"{account.api.origin}/home"})
        session.request(method, f"{other.origin}/back")
        assert authorizations(other) == [None] * 4
    assert [each.authorization for each in account.api.asked if each.target == "/home"] == [None]


def test_a_session_that_keeps_credentials_in_redirects_does_not_keep_the_token(account: Account) -> None:
    """Programs change this rule of requests for their own passwords, and then it is not that of tokenctl."""

    class Keeping(requests.Session):
        def rebuild_auth(self, *_: object) -> None:
            """Keep."""

    with Api() as other, Keeping() as session:
        account.api.answers["/go"] = Answer(status=302, headers={"Location": other.origin})
        session.auth = tokenctl.RequestsAuth("t")
        assert session.get(f"{account.api.origin}/go").status_code == 200
        assert authorizations(other) == [None]


@pytest.mark.parametrize("target", ["/b", "b", "?x=1", "/b c", "/b\xe9", "/b[1]{2}", "HTTP://127.0.0.1:{port}/b"])
def test_a_redirect_within_the_origin_keeps_the_token(account: Account, target: str) -> None:
    """However the server writes it: relative, with spaces, with letters that are not ASCII."""
    target = target.replace("{port}", str(account.api.port))
    account.api.answers["/a"] = Answer(status=302, headers={"Location": target.encode().decode("latin-1")})
    with session_of() as session:
        assert session.get(f"{account.api.origin}/a").status_code == 200
    assert len(account.api.asked) == 2


def test_the_request_after_a_redirect_is_renewed_alone(account: Account) -> None:
    """A POST that had its effect (303) is not sent a second time."""
    account.api.answers["/a"] = Answer(status=303, headers={"Location": "/b"})
    account.server.expire_access_tokens()
    with session_of() as session:
        assert session.post(f"{account.api.origin}/a", data=b"x").status_code == 200
    assert [(each.method, each.target) for each in account.api.asked] == [("POST", "/a"), ("GET", "/b"), ("GET", "/b")]


def test_a_redirect_after_a_renewal_has_the_renewed_token(account: Account) -> None:
    """The request that was sent again is redirected: the refused token is not sent a second time."""
    checked = account.api.checked

    class Moved(Api):
        def checked(self, asked: Asked) -> Answer:
            answer = checked(asked)
            moved = answer.status == 200 and asked.target == "/a"
            return Answer(status=302, headers={"Location": "/b"}) if moved else answer

    account.server.expire_access_tokens()
    with Moved(account.server) as api, session_of(tokenctl.RequestsAuth("t", origins=api.origin)) as session:
        assert session.get(f"{api.origin}/a").status_code == 200
        assert [each.target for each in api.asked] == ["/a", "/a", "/b"]
    assert account.refreshes == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
@pytest.mark.parametrize("bound", [False, True])
def test_a_redirect_from_port_80_to_443_keeps_the_token_only_if_both_are_bound(
    account: Account, host: str, bound: bool
) -> None:
    """The library itself keeps Authorization there."""
    adapter = StandIn({f"http://{host}/": (301, [("Location", f"https://{host}/x")])})
    origins = [f"http://{host}"] + [f"https://{host}"] * bound
    assert mounted(adapter, origins).get(f"http://{host}/").status_code == 200
    ours = f"Bearer {account.session.access_token}"
    assert adapter.seen == [(f"http://{host}/", ours), (f"https://{host}/x", ours if bound else None)]


SPELLINGS: dict[str, bool] = {
    "http://api.example:8080/": False,
    "https://api.example:8080/": False,
    "https://api.example/": True,
    "https://API.EXAMPLE/": True,
    "HTTPS://api.example:443/": True,
    "https://api.example/a b/\xe9?filter[a]={b}": True,
    "https://api.example./": False,
    "https://api.example:444/": False,
    "http://api.example/": False,
    "https://user:secret@api.example/": False,
    "https://api.example@evil.example/": False,
    "https://evil.example/https://api.example/": False,
    "https://evil.example#@api.example/": False,
    "https://evil.example\\@api.example/": False,
    "https://api.example\\@evil.example/": True,  # requests goes to api.example, and the rest is the path
    "https://api.example.evil.example/": False,
    "https://xapi.example/": False,
    "https://аpi.example/": False,  # the first letter is Cyrillic  # noqa: RUF001
    "http://127.0.0.1:8080/": True,
    "http://localhost:8080/": False,
    "http://127.1:8080/": False,
    "http://[::ffff:127.0.0.1]:8080/": False,
    "http://[::1]:8080/": True,
}


@pytest.mark.quick
def test_only_the_bound_origins_get_the_token(account: Account) -> None:
    """Scheme, host and port are compared exactly; what is not clear gets nothing."""
    adapter = StandIn()
    with mounted(adapter, ["https://api.example", "http://127.0.0.1:8080", "http://[::1]:8080"]) as session:
        for url in SPELLINGS:
            session.get(url)
    ours = f"Bearer {account.session.access_token}"
    assert {url: seen == ours for url, (_, seen) in zip(SPELLINGS, adapter.seen, strict=True)} == SPELLINGS


@pytest.mark.parametrize(
    ("host", "signed"),
    [
        ("evil.example", False),
        ("api.example:8443", False),
        ("api.example, evil.example", False),
        ("a b", False),
        (b"evil.example", False),
        ("API.example", True),
        (b"api.example:443", True),
    ],
)
def test_a_header_host_of_another_server_gets_no_token(account: Account, host: str, signed: bool) -> None:
    """The server that is connected to may hand the request on by its Host."""
    adapter = StandIn()
    mounted(adapter, "https://api.example").get("https://api.example", headers={"Host": host})
    assert [seen is not None for _, seen in adapter.seen] == [signed]
