"""git's credential protocol, byte for byte: what older and newer gits write, and what nobody should."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tokenctl.errors import LoginRequired
from tokenctl.handoff.helpers import git
from tokenctl.handoff.helpers.question import Answer, Given, Question

OLD = b"protocol=https\nhost=git.example.com\n"
"""What git 2.39 writes after `git ls-remote https://git.example.com/r.git`."""
NEW = (
    b"capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=git.example.com\n"
    b'wwwauth[]=Bearer realm="git"\nwwwauth[]=Basic realm="git"\n\n'
)
"""What git 2.55 writes, for a server that takes both schemes."""
ORIGIN = "https://git.example.com"
BASIC = b"username=oauth2\npassword=eyJ.T\npassword_expiry_utc=970\n"
BEARER = b"capability[]=authtype\nauthtype=Bearer\ncredential=eyJ.T\nephemeral=1\npassword_expiry_utc=970\n"


def read(content: bytes, *words: str) -> Question:
    """The question that git asks with these words, or with `get`."""
    return git.read(words or ("get",), content, {})


def answer(content: bytes, *, ends: int | None = 1000, prefix: str = "Bearer ", user: str = "oauth2") -> bytes:
    """What git gets for it, with the token of a profile that binds the origin."""
    found = git.found(read(content), [Given("eyJ.T", ORIGIN, user, prefix, ends)], 0)
    assert (found.status, found.error, found.hint) == (0, "", None)
    return found.out


def is_silent(question: Question) -> bool:
    """Tell whether git gets nothing, whatever the profiles say."""
    found = question.answer
    return (question.wants, found.out, found.status, found.error) == ("nothing", b"", 0, "")


# -- get -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [OLD, OLD + b"\n", OLD + b"\nusername=x\n\xff\0", OLD.removesuffix(b"\n")])
def test_the_question_of_an_old_git(content: bytes) -> None:
    """It gets the token as a password, and the end of the token; an empty line or the end of stdin ends it."""
    question = read(content)
    assert (question.wants, question.address, question.user, question.again) == ("token", ORIGIN, "", "")
    assert answer(content) == BASIC
    assert (question.absent.out, question.absent.status, question.absent.error) == (b"", 0, "")


def test_the_question_of_a_new_git() -> None:
    """It gets the token as it is, and says by the first line that this is understood."""
    assert (read(NEW).wants, read(NEW).address) == ("token", ORIGIN)
    assert answer(NEW) == BEARER


@pytest.mark.parametrize(
    ("wwwauth", "expected"),
    [
        ([], BEARER),
        (["Bearer"], BEARER),
        (["BEARER realm=x"], BEARER),
        (['Basic realm="GitLab"'], BASIC),
        (["Negotiate", "NTLM TlRMTVNTUAAB=="], BASIC),
        (['Basic realm="git", Bearer'], BEARER),
        (['Basic realm="git" , charset = "UTF-8",Bearer scope="a b", error=x'], BEARER),
        (['Basic realm="a, Bearer b"'], BASIC),
        (['Basic realm="a\\", Bearer b"'], BASIC),
        (["Digest bearer=1, nonce=bearer"], BASIC),
        (["Basic", "", "Bearer"], BEARER),
        (["Basic", ""], BEARER),
        (["", " ", ",", '"', "="], BEARER),
    ],
)
def test_what_the_server_takes_decides(wwwauth: list[str], expected: bytes) -> None:
    """Bearer, unless all schemes that are named are others (RFC 9110 section 11.6.1); an empty line forgets them."""
    lines = "".join(f"wwwauth[]={each}\n" for each in wwwauth).encode()
    assert answer(b"capability[]=authtype\n" + OLD + lines) == expected
    assert answer(OLD + lines) == BASIC


@pytest.mark.parametrize("offer", [b"capability[]=state\n", b"capability[]=authtypes\n", b"capability=authtype\n"])
def test_nothing_is_used_that_was_not_offered(offer: bytes) -> None:
    """Only `authtype` is an offer of it, and an empty line takes it back."""
    assert answer(offer + OLD) == BASIC
    assert answer(b"capability[]=authtype\ncapability[]=\n" + offer + OLD) == BASIC


def test_the_shape_of_an_origin_counts() -> None:
    """Its user name; and another prefix than Bearer's is for headers that git does not write."""
    assert answer(OLD, user="x-token-auth").startswith(b"username=x-token-auth\n")
    assert answer(NEW, prefix="token ") == BASIC


def test_a_token_without_an_end_is_given_without_one() -> None:
    """An end of 0 would mean something else to git."""
    assert b"expiry" not in answer(OLD, ends=None) + answer(NEW, ends=None)


def test_the_user_name_that_git_knows_is_passed_on() -> None:
    """Another one than ours gets silence; an empty one is none."""
    assert read(OLD + b"username=alice\n").user == "alice"
    assert read(OLD + b"username=\n").user == ""


def test_the_path_of_a_repository_makes_no_difference() -> None:
    """A profile is bound to an origin."""
    assert read(OLD + b"path=a/../..//other.example\n").address == ORIGIN


@pytest.mark.parametrize(
    ("protocol", "host", "origin"),
    [
        ("https", "GIT.Example.com:443", ORIGIN),
        ("https", "git.example.com:8443", f"{ORIGIN}:8443"),
        ("http", "127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http", "[::1]:80", "http://[::1]"),
        ("http", "git.example.com", "http://git.example.com"),
    ],
)
def test_the_origin_has_scheme_host_and_port(protocol: str, host: str, origin: str) -> None:
    """No profile can be bound to plain http on another machine; that is checked where origins are bound."""
    assert read(f"protocol={protocol}\nhost={host}\n\n".encode()).address == origin


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n" + OLD,
        b"protocol=https\n",
        b"host=git.example.com\n",
        b"protocol=https\nhost=\n",
        b"protocol=ssh\nhost=git.example.com\n",
        b"protocol=\nhost=git.example.com\n",
        b"protocol=https://git.example.com/?\nhost=x\n",
        b"protocol=https\nhost=user@git.example.com\n",
        b"protocol=https\nhost=user:pass@git.example.com\n",
        b"protocol=https\nhost=git.example.com/x\n",
        b"protocol=https\nhost=git.example.com?.evil.example\n",
        b"protocol=https\nhost=git.example.com#.evil.example\n",
        b"protocol=https\nhost=git.example.com\\.evil.example\n",
        b"protocol=https\nhost=git.example.com%2f.evil.example\n",
        b"protocol=https\nhost=git.example.com:99999\n",
        b"protocol=https\nhost=git.example.com:\n",
        b"protocol=https\nhost= git.example.com\n",
        b"protocol=https\nhost=git.example.com\xef\xbc\x8f.evil.example\n",
        OLD + b"host=evil.example\n",
        b"host=evil.example\n" + OLD,
        OLD + b"protocol=http\n",
        OLD + b"username=a\nusername=b\n",
        OLD + b"url=https://evil.example\n",
        b"url=https://git.example.com\n",
        OLD + b"no equals sign\n",
        OLD + b"path=a\0b\n",
        OLD + b"path=a\rb\n",
        OLD.replace(b"\n", b"\r\n"),
        OLD + b"wwwauth[]=Basic realm=" + b"a" * 65535 + b"host=victim.example\n",
    ],
)
def test_what_git_does_not_write_gets_silence(content: bytes) -> None:
    """No token, no error and no traceback; and nothing is noted when it is `erase`."""
    assert is_silent(read(content))
    assert is_silent(git.read(["erase"], content.replace(b"\n\n", b"\n") + b"password=eyJ.T\n", {}))


def test_the_longest_line_is_understood() -> None:
    """65,535 bytes with its end, as git-credential(1) says."""
    line = b"path=" + b"a" * (65534 - 5) + b"\n"
    assert len(line) == 65535
    assert read(OLD + line).wants == "token"
    assert is_silent(read(OLD + line.replace(b"=", b"=a")))


def test_keys_that_nobody_knows_yet_are_ignored() -> None:
    """A newer git can have more of them."""
    assert answer(b"new=1\nnewer[]=2\nnewer[]=3\nstate[]=other:x\nephemeral=1\ncontinue=1\n=\n" + OLD) == BASIC


known = st.sampled_from(
    ["protocol", "host", "username", "password", "path", "url", "wwwauth[]", "capability[]", "x", ""]
)
values = st.one_of(st.sampled_from(["https", "git.example.com", "authtype", "a\0", "a\r", ""]), st.text(max_size=9))
lines = st.builds("{}={}".format, known, values) | st.text(max_size=9)


@given(st.lists(lines, max_size=9).map(lambda each: "\n".join(each).encode(errors="replace")) | st.binary())
@example(OLD)
@example(NEW)
def test_no_input_makes_an_exception_or_a_byte_too_many(content: bytes) -> None:
    """It is git's question for an origin, or silence; and the answer's lines are its own, whatever was asked."""
    question = read(content)
    assert is_silent(question) or question.wants == "token"
    assert answer(content) in (BASIC, BEARER)
    block = content.partition(b"\n\n")[0]
    assert question.wants == "nothing" or (b"\0" not in block and b"\r" not in block and b"url=" not in block[:4])
    assert git.read(["erase"], content, {}).wants in ("nothing", "refusal")


# -- the other verbs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [[], ["store"], ["list"], ["GET"], ["get", "get"], ["get", ""], ["--get"], ["capability", "x"], [""]]
)
def test_a_verb_that_nobody_knows_gets_silence(words: list[str]) -> None:
    """As git-credential(1) wants it; `store` is known, and there is nothing to keep."""
    assert is_silent(git.read(words, OLD, {}))


def test_what_is_read_of_stdin() -> None:
    """The lines of the three verbs that have them, so that git never writes into a closed pipe."""
    assert [git.reads([verb]) for verb in ("get", "store", "erase")] == ["block"] * 3
    assert [git.reads(words) for words in ([], ["capability"], ["x"])] == ["nothing"] * 3


def test_the_capabilities() -> None:
    """`git credential capability` has this form."""
    question = git.read(["capability"], b"", {})
    assert (question.wants, question.answer.out) == ("nothing", b"version 0\ncapability authtype\n")
    assert question.answer.status == 0


@pytest.mark.parametrize(
    "more",
    [
        b"username=oauth2\npassword=eyJ.T\n",
        b"username=oauth2\npassword=eyJ.T\npassword_expiry_utc=970\n",
        b"username=alice\npassword=eyJ.T\nwwwauth[]=Basic\n",
        b"capability[]=authtype\nauthtype=Bearer\ncredential=eyJ.T\nephemeral=1\npassword_expiry_utc=970\n"
        b'wwwauth[]=Bearer realm="git"\nwwwauth[]=Basic realm="git"\n',
        b"capability[]=authtype\nauthtype=Bearer\ncredential=eyJ.T\npassword=other\n",
    ],
)
def test_erase_reports_a_refused_token(more: bytes) -> None:
    """By git 2.39 as a password, by git 2.55 as a credential. There is nothing to answer."""
    question = git.read(["erase"], OLD + more, {})
    assert (question.wants, question.address, question.refused) == ("refusal", ORIGIN, "eyJ.T")
    assert (question.answer.out, question.absent.out) == (b"", b"")


def test_erase_without_a_password_reports_nothing() -> None:
    """`git credential reject` of a person can have none: there is nothing to forget."""
    assert is_silent(git.read(["erase"], OLD, {}))
    assert is_silent(git.read(["erase"], OLD + b"username=oauth2\npassword=\n", {}))


# -- failures --------------------------------------------------------------------------------------


def test_a_failure_ends_git_with_the_reason() -> None:
    """`quit` keeps git from asking the next helper, or the person; `erase` reads no answer."""
    error = LoginRequired("the session has ended", hint="run 'tokenctl login -p work'")
    found = git.failed(read(OLD), error)
    assert (found.out, found.status, found.error) == (b"quit=1\n", error.exit_status, "the session has ended")
    assert found.hint is not None and "tokenctl login" in found.hint
    erased: Answer = git.failed(git.read(["erase"], OLD + b"password=x\n", {}), error)
    assert (erased.out, erased.error) == (b"", "the session has ended")
