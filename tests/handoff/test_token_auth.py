"""TokenAuth: a fresh token in each request to a bound origin, one renewal for all, and no token anywhere else."""

import asyncio
import os
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests

import tokenctl
from tests.handoff.conftest import Account, Answer, Api
from tests.killing.scene import wait_until
from tests.servers.faulty_server import Reply, json_reply
from tests.support.commandline import COMMAND, LONG
from tests.support.flows import always
from tests.support.paths import ROOT

MANY = 100


def by_threads(client: httpx.Client, url: str, count: int = MANY) -> list[int]:
    """Send requests from as many threads, all at once; return their statuses."""
    barrier = threading.Barrier(count)

    def ask(_: int) -> int:
        barrier.wait(LONG)
        return client.get(url).status_code

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, range(count)))


async def by_tasks(client: httpx.AsyncClient, url: str, count: int = MANY) -> list[int]:
    """Send requests from as many tasks; return their statuses."""
    async with client:
        answers = await asyncio.gather(*(client.get(url) for _ in range(count)))
    return [answer.status_code for answer in answers]


def patient(**settings: Any) -> dict[str, Any]:
    """Settings of a client that many share: as many connections, and no deadline."""
    return {"timeout": LONG, "limits": httpx.Limits(max_connections=None), "trust_env": False, **settings}


# -- one renewal -----------------------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.parametrize("refused", [False, True], ids=["expired", "refused"])
@pytest.mark.parametrize("shared", [True, False], ids=["one TokenAuth", "two"])
def test_a_hundred_threads_and_a_hundred_tasks_renew_once(account: Account, refused: bool, shared: bool) -> None:
    """Whether the token is known to have expired or the API refuses it: one refresh, and 200 requests that succeed."""
    account.server.expire_access_tokens()
    if not refused:
        account.age()
    auth = tokenctl.TokenAuth("t")
    other = auth if shared else tokenctl.TokenAuth("t")
    url = f"{account.api.origin}/x"
    with httpx.Client(auth=auth, **patient()) as client, ThreadPoolExecutor(1) as pool:
        tasks = pool.submit(lambda: asyncio.run(by_tasks(httpx.AsyncClient(auth=other, **patient()), url)))
        statuses = by_threads(client, url) + tasks.result()
    assert statuses == [200] * 2 * MANY
    assert account.refreshes == 1


def test_a_fresh_token_is_not_read_again(account: Account) -> None:
    """The state directory can go away: the token is held in memory."""
    with httpx.Client(auth=tokenctl.TokenAuth("t"), **patient()) as client:
        assert client.get(account.api.origin).status_code == 200
        Path(account.environ["TOKENCTL_STATE_DIR"]).rename(account.environ["TOKENCTL_STATE_DIR"] + ".gone")
        assert client.get(account.api.origin).status_code == 200


def test_the_token_of_another_process_is_used(account: Account) -> None:
    """A refused token is not renewed where somebody has done that meanwhile."""
    auth = tokenctl.TokenAuth("t")
    with httpx.Client(auth=auth, **patient()) as client:
        assert client.get(account.api.origin).status_code == 200
        account.server.expire_access_tokens()
        with httpx.Client(auth=tokenctl.TokenAuth("t"), **patient()) as other:
            assert other.get(account.api.origin).status_code == 200
        assert account.refreshes == 1
        assert client.get(account.api.origin).status_code == 200
    assert account.refreshes == 1


@pytest.mark.quick
def test_an_api_that_refuses_everything_causes_one_renewal(account: Account) -> None:
    """The second 401 is returned, and no later 401 renews again; a body that is streamed makes no difference."""
    account.api.answers["/"] = Answer(status=401)
    with httpx.Client(auth=tokenctl.TokenAuth("t"), **patient()) as client:
        statuses = [client.get(account.api.origin).status_code for _ in range(3)]
        statuses += [client.post(account.api.origin, content=iter([b"x"])).status_code for _ in range(3)]
    assert (statuses, account.refreshes, len(account.api.asked)) == ([401] * 6, 1, 7)


def test_streamed_bodies_that_are_refused_cause_one_renewal(account: Account) -> None:
    """What cannot be sent again is not, and the next one has the renewed token."""
    account.api.answers["/"] = Answer(status=401)
    with httpx.Client(auth=tokenctl.TokenAuth("t"), **patient()) as client:
        for _ in range(3):
            assert client.post(account.api.origin, content=iter([b"a", b"b"])).status_code == 401
    assert (account.refreshes, [each.body for each in account.api.asked]) == (1, [b"ab"] * 3)
    assert len({each.authorization for each in account.api.asked}) == 2


def test_streamed_bodies_of_requests_cause_one_renewal(account: Account) -> None:
    """The same for the library requests."""
    account.api.answers["/"] = Answer(status=401)
    with requests.Session() as client:
        client.trust_env, client.auth = False, tokenctl.RequestsAuth("t")
        for _ in range(3):
            assert client.post(account.api.origin, data=iter([b"a", b"b"]), timeout=LONG).status_code == 401
    assert (account.refreshes, len(account.api.asked)) == (1, 3)


@pytest.mark.parametrize(
    "challenge",
    ['Basic realm="x"', 'Bearer error="insufficient_scope"', 'Bearer error="insufficient_user_authentication"'],
)
def test_a_401_that_a_new_token_does_not_help_is_returned(account: Account, challenge: str) -> None:
    """Other credentials, a wider scope, a new sign-in: nothing is renewed."""
    account.api.answers["/"] = Answer(status=401, headers={"WWW-Authenticate": challenge})
    with httpx.Client(auth=tokenctl.TokenAuth("t"), **patient()) as client:
        assert client.get(account.api.origin).status_code == 401
    assert (account.refreshes, len(account.api.asked)) == (0, 1)


def test_a_renewal_that_fails_for_a_while_leaves_the_401(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    """The program gets the API's answer, and the log says why there is no other."""
    account.api.answers["/"] = Answer(status=401)
    account.server.overrides["/token"] = always(Reply(status=503))
    with httpx.Client(auth=tokenctl.TokenAuth("t"), **patient()) as client:
        assert client.get(account.api.origin).status_code == 401
    assert "could not be renewed" in caplog.text
    assert account.session.access_token not in caplog.text


def test_a_renewal_that_fails_for_good_is_an_error(account: Account) -> None:
    """A person has to sign in again; each of many threads gets an error of its own, without a token."""
    account.api.answers["/"] = Answer(status=401)
    account.server.overrides["/token"] = always(json_reply({"error": "invalid_grant"}, 400))
    barrier = threading.Barrier(8)

    def ask(_: int) -> BaseException:
        barrier.wait(LONG)
        with pytest.raises(tokenctl.LoginRequired) as caught:
            client.get(account.api.origin)
        return caught.value

    with httpx.Client(auth=tokenctl.TokenAuth("t"), **patient()) as client, ThreadPoolExecutor(8) as pool:
        errors = list(pool.map(ask, range(8)))
    assert len({id(each) for each in errors}) == 8 and account.refreshes == 1
    assert not any(account.session.access_token in f"{each!r} {each}" for each in errors)


# -- bodies ----------------------------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.parametrize("kind", ["bytes", "json", "form", "multipart", "small file"])
def test_a_body_that_can_be_sent_again_is(account: Account, tmp_path: Path, kind: str) -> None:
    """After a 401 the same body goes out with the renewed token."""
    account.server.expire_access_tokens()
    (tmp_path / "file").write_bytes(b"content")
    with (tmp_path / "file").open("rb") as file, httpx.Client(auth=tokenctl.TokenAuth("t"), **patient()) as client:
        bodies: dict[str, dict[str, Any]] = {
            "bytes": {"content": b"content"},
            "json": {"json": ["content"]},
            "form": {"data": {"a": "content"}},
            "multipart": {"files": {"a": file}},
            "small file": {"content": file},
        }
        assert client.post(account.api.origin, **bodies[kind]).status_code == 200
    first, second = account.api.asked
    assert first.body == second.body and b"content" in first.body


def test_a_small_body_of_an_async_client_can_be_sent_again(account: Account) -> None:
    """Its length is known, so it is held in memory."""
    account.server.expire_access_tokens()

    async def parts() -> AsyncIterator[bytes]:
        yield b"con"
        yield b"tent"

    async def send() -> int:
        async with httpx.AsyncClient(auth=tokenctl.TokenAuth("t"), **patient()) as client:
            answer = await client.post(account.api.origin, content=parts(), headers={"Content-Length": "7"})
        return answer.status_code

    assert asyncio.run(send()) == 200
    assert [each.body for each in account.api.asked] == [b"content"] * 2


def test_a_body_of_the_wrong_kind_is_the_error_of_httpx(account: Account) -> None:
    """A file in an AsyncClient, and an asynchronous generator in a Client, are refused as without TokenAuth."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"x"

    def simple() -> Iterator[bytes]:
        yield b"x"

    length = {"Content-Length": "1"}
    auth = tokenctl.TokenAuth("t")
    with httpx.Client(auth=auth, **patient()) as client, pytest.raises(RuntimeError, match="async request"):
        client.post(account.api.origin, content=parts(), headers=length)

    async def send() -> None:
        async with httpx.AsyncClient(auth=auth, **patient()) as client:
            await client.post(account.api.origin, content=simple(), headers=length)

    with pytest.raises(RuntimeError, match="sync request"):
        asyncio.run(send())


# -- requests that are sent again ------------------------------------------------------------------


def test_a_request_that_is_sent_again_gets_the_token_of_now(account: Account) -> None:
    """Its header is ours, of the first time; also where another TokenAuth had set it."""
    for _ in range(2):
        auth = tokenctl.TokenAuth("t")
        with httpx.Client(auth=auth, **patient()) as client:
            request = client.build_request("GET", account.api.origin)
            assert client.send(request).status_code == 200
            account.server.expire_access_tokens()
            assert client.send(request).status_code == 200
        with httpx.Client(auth=tokenctl.TokenAuth("t"), **patient()) as client:
            account.server.expire_access_tokens()
            assert client.send(request).status_code == 200


def test_a_request_that_is_sent_to_another_server_loses_the_token(account: Account) -> None:
    """The program changes the address of a request that had the token, and sends it with any TokenAuth."""
    auth = tokenctl.TokenAuth("t")
    with Api() as other, httpx.Client(auth=auth, **patient()) as client:
        for again in (auth, tokenctl.TokenAuth("t")):
            request = client.build_request("GET", account.api.origin)
            client.send(request)
            request.url = httpx.URL(other.origin)
            client.send(request, auth=again)
            request.headers["Host"] = f"127.0.0.1:{other.port}"
            client.send(request, auth=again)
        assert [each.authorization for each in other.asked] == [None] * 4


def test_a_redirect_that_the_program_follows_gets_the_token_of_now(account: Account) -> None:
    """`next_request` has our header, of the first request."""
    account.api.answers["/a"] = Answer(status=302, headers={"Location": "/b"})
    with httpx.Client(auth=tokenctl.TokenAuth("t"), **patient()) as client:
        answer = client.get(f"{account.api.origin}/a")
        account.server.expire_access_tokens()
        assert answer.next_request is not None
        assert client.send(answer.next_request).status_code == 200


def test_a_post_that_was_redirected_is_not_sent_twice(account: Account) -> None:
    """It had its effect (303): only the request that was refused is repeated."""
    account.api.answers["/a"] = Answer(status=303, headers={"Location": "/b"})
    account.server.expire_access_tokens()
    with httpx.Client(auth=tokenctl.TokenAuth("t"), **patient(follow_redirects=True)) as client:
        assert client.post(f"{account.api.origin}/a", content=b"x").status_code == 200
    assert [(each.method, each.target) for each in account.api.asked] == [("POST", "/a"), ("GET", "/b"), ("GET", "/b")]


@pytest.mark.parametrize("of_client", [True, False])
def test_the_programs_own_credentials_stay(account: Account, of_client: bool) -> None:
    """A header Authorization of the request or of the client is sent as it is."""
    own = {"Authorization": "Bearer mine"}
    with httpx.Client(auth=tokenctl.TokenAuth("t"), headers=own if of_client else {}, **patient()) as client:
        assert client.get(account.api.origin, headers={} if of_client else own).status_code == 401
    assert [each.authorization for each in account.api.asked] == ["Bearer mine"]
    assert account.refreshes == 0


def test_credentials_that_the_program_sets_later_stay(account: Account) -> None:
    """A request had our token, and the program sends it again with its own."""
    with httpx.Client(auth=tokenctl.TokenAuth("t"), **patient()) as client:
        request = client.build_request("GET", account.api.origin)
        client.send(request)
        request.headers["Authorization"] = "Bearer mine"
        client.send(request)
    assert account.api.asked[-1].authorization == "Bearer mine"


# -- no token anywhere else ------------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_does_not_take_the_token_to_another_origin(account: Account, status: int, method: str) -> None:
    """Another port, another name of this machine, and back again: only the bound origin gets the token."""
    with Api() as other, httpx.Client(auth=tokenctl.TokenAuth("t"), **patient(follow_redirects=True)) as client:
        for place in (other.origin, f"http://localhost:{other.port}", f"http://user:x@127.0.0.1:{other.port}"):
            account.api.answers["/go"] = Answer(status=status, headers={"Location": place})
            assert client.request(method, f"{account.api.origin}/go").status_code == 200
        other.answers["/back"] = Answer(status=status, headers={"Location": f"{account.api.origin}/home"})
        client.request(method, f"{other.origin}/back")
        assert len(other.asked) == 4 and {each.authorization for each in other.asked} == {None}
    assert [each.authorization for each in account.api.asked if each.target == "/home"] == [None]


def stand_in(origins: str | list[str]) -> httpx.Client:
    """A client that sends nothing; its requests can be looked at."""
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    return httpx.Client(auth=tokenctl.TokenAuth("t", origins=origins), transport=transport)


SPELLINGS: dict[str, bool] = {
    "http://api.example:8080/": False,
    "https://api.example:8080/": False,
    "https://api.example/": True,
    "https://API.EXAMPLE/": True,
    "HTTPS://api.example:443/": True,
    "https://api.example:0443/": True,
    "https://api.example./": False,
    "https://api.example:444/": False,
    "https://api.example:80/": False,
    "http://api.example/": False,
    "https://user@api.example/": False,
    "https://user:secret@api.example/": False,
    "https://api.example@evil.example/": False,
    "https://evil.example/https://api.example/": False,
    "https://evil.example#@api.example/": False,
    "https://evil.example?@api.example/": False,
    "https://api.example.evil.example/": False,
    "https://xapi.example/": False,
    "https://ap%69.example/": False,
    "https://api.example%2f.evil.example/": False,
    "https://аpi.example/": False,  # the first letter is Cyrillic  # noqa: RUF001
    "wss://api.example/": False,
    "ws://api.example/": False,
    "http://127.0.0.1:8080/": True,
    "http://127.0.0.1:8081/": False,
    "https://127.0.0.1:8080/": False,
    "http://localhost:8080/": False,
    "http://127.1:8080/": False,
    "http://2130706433:8080/": False,
    "http://0x7f000001:8080/": False,
    "http://[::ffff:127.0.0.1]:8080/": False,
    "http://[::1]:8080/": True,
    "http://[0:0::1]:8080/": True,
    "http://[::2]:8080/": False,
}


@pytest.mark.quick
def test_only_the_bound_origins_get_the_token(account: Account) -> None:
    """Scheme, host and port are compared exactly; what is not clear gets nothing."""
    origins = ["https://api.example", "http://127.0.0.1:8080", "http://[::1]:8080"]
    with stand_in(origins) as client:
        found = {url: "Authorization" in client.get(url).request.headers for url in SPELLINGS}
    assert found == SPELLINGS


def test_a_header_host_of_another_server_gets_no_token(account: Account) -> None:
    """The server that is connected to may hand the request on by its Host."""
    with stand_in("https://api.example") as client:
        for host in ("evil.example", "api.example:8443", "api.example, evil.example", "", "a b"):
            sent = client.get("https://api.example", headers={"Host": host}).request
            assert "Authorization" not in sent.headers, host
        assert "Authorization" in client.get("https://api.example", headers={"Host": "API.example"}).request.headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_redirect_from_port_80_to_443_cannot_take_the_token_along(account: Account, host: str) -> None:
    """That one redirect keeps Authorization in httpx, so there must be no token, or both origins are bound."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        again = {"Location": f"https://{host}/"} if request.url.scheme == "http" else {}
        return httpx.Response(301 if again else 200, headers=again)

    settings: dict[str, Any] = {"transport": httpx.MockTransport(answer), "follow_redirects": True}
    for url in (f"http://{host}/", f"http://{host}:80/"):
        with (
            httpx.Client(auth=tokenctl.TokenAuth("t", origins=f"http://{host}"), **settings) as client,
            pytest.raises(tokenctl.UsageError, match="redirect"),
        ):
            client.get(url)
    assert not sent
    both = [f"http://{host}", f"https://{host}"]
    with httpx.Client(auth=tokenctl.TokenAuth("t", origins=both), **settings) as client:
        assert client.get(f"http://{host}/").status_code == 200
    assert len(sent) == 2


# -- the event loop --------------------------------------------------------------------------------


SLOW = 3.0
"""Seconds that a renewal takes: long, so that a busy machine's own pauses are short beside it."""


async def lateness(sleep: Callable[[float], Any], clock: Callable[[], float], done: Callable[[], bool]) -> float:
    """Tick until it is done; return by how much the latest tick was late, in seconds."""
    latest, before = 0.0, clock()
    while not done():
        await sleep(0.005)
        now = clock()
        latest, before = max(latest, now - before - 0.005), now
    return latest


def run_asyncio(account: Account) -> tuple[float, float, list[int]]:
    """Send requests from tasks of asyncio; return the renewal's time, the ticker's lateness, and the statuses."""

    async def main() -> tuple[float, float, list[int]]:
        clock = asyncio.get_running_loop().time
        async with httpx.AsyncClient(auth=tokenctl.TokenAuth("t"), **patient()) as client:
            begun = clock()
            asked = asyncio.gather(*(client.get(account.api.origin) for _ in range(20)))
            late = await lateness(asyncio.sleep, clock, asked.done)
            return clock() - begun, late, [each.status_code for each in await asked]

    return asyncio.run(main())


def run_trio(account: Account) -> tuple[float, float, list[int]]:
    """Do the same in trio."""
    import trio

    async def main() -> tuple[float, float, list[int]]:
        statuses: list[int] = []
        async with httpx.AsyncClient(auth=tokenctl.TokenAuth("t"), **patient()) as client:

            async def ask() -> None:
                statuses.append((await client.get(account.api.origin)).status_code)

            begun = trio.current_time()
            async with trio.open_nursery() as nursery:
                for _ in range(20):
                    nursery.start_soon(ask)
                late = await lateness(trio.sleep, trio.current_time, lambda: len(statuses) == 20)
            return trio.current_time() - begun, late, statuses

    return trio.run(main)


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_the_event_loop_goes_on_while_the_token_is_renewed(
    account: Account, run: Callable[[Account], tuple[float, float, list[int]]]
) -> None:
    """A task that ticks is never late by more than a tenth of the renewal's time."""
    account.age()

    account.server.overrides["/token"] = lambda request: replace(account.server.answer(request), delay=SLOW)
    renewal, late, statuses = run(account)
    assert statuses == [200] * 20 and account.refreshes == 1
    assert late < renewal / 10


def test_a_task_that_is_cancelled_leaves_the_renewal_to_the_others(account: Account) -> None:
    """The renewal goes on, and the other tasks get their token."""
    account.age()
    begun, go_on = threading.Event(), threading.Event()

    def late(request: object) -> None:
        begun.set()
        go_on.wait(LONG)

    account.server.overrides["/token"] = late

    async def main() -> list[int]:
        async with httpx.AsyncClient(auth=tokenctl.TokenAuth("t"), **patient()) as client:
            tasks = [asyncio.create_task(client.get(account.api.origin)) for _ in range(5)]
            await asyncio.to_thread(begun.wait, LONG)
            for task in tasks[:3]:
                task.cancel()
            await asyncio.gather(*tasks[:3], return_exceptions=True)
            assert all(task.cancelled() for task in tasks[:3])
            go_on.set()
            return [each.status_code for each in await asyncio.gather(*tasks[3:])]

    assert asyncio.run(main()) == [200] * 2
    assert account.refreshes == 1


def test_several_event_loops_share_one_renewal(account: Account) -> None:
    """Each runs in a thread of its own, with a client of its own and the same TokenAuth."""
    account.age()
    auth, url = tokenctl.TokenAuth("t"), account.api.origin
    with ThreadPoolExecutor(4) as pool:
        loops = [
            pool.submit(lambda: asyncio.run(by_tasks(httpx.AsyncClient(auth=auth, **patient()), url, 5)))
            for _ in range(4)
        ]
        assert [each.result() for each in loops] == [[200] * 5] * 4
    assert account.refreshes == 1


# -- with another process --------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("refused", [False, True], ids=["expired", "refused"])
def test_a_hundred_threads_and_another_process_renew_once(account: Account, refused: bool) -> None:
    """`tokenctl token` renews at the same time; whoever comes first, there is one refresh, and 100 requests succeed."""
    account.server.expire_access_tokens()
    account.age(600 if refused else -60)
    begun, go_on = threading.Event(), threading.Event()

    def late(request: object) -> None:
        begun.set()
        go_on.wait(LONG)

    account.server.overrides["/token"] = late
    command = [*COMMAND, "refresh" if refused else "token", "-p", "t"]
    with (
        subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE) as process,
        httpx.Client(auth=tokenctl.TokenAuth("t"), **patient()) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        assert begun.wait(LONG)  # the process has presented the refresh token, and has the lock
        statuses = pool.submit(by_threads, client, account.api.origin)
        if refused:
            wait_until(lambda: len(account.api.asked) == MANY)  # all of them were refused
        go_on.set()
        assert statuses.result() == [200] * MANY and process.wait(LONG) == 0
    assert account.refreshes == 1
