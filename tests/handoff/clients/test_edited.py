"""The clients whose files are text of many forms: ours goes in and comes out, and nothing else moves."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.wanted import WANTED, wanted
from tokenctl.handoff.clients import client

_CLUSTER = "clusters:\n- cluster:\n    server: https://registry.example.com:5000\n  name: one\n"
_CONTEXT = "contexts:\n- context:\n    cluster: one\n    user: 'me'   # mine\n  name: one\n"
_USER = "users:\n# of another cluster\n- name: other\n  user:\n    token: abc\n"

NEEDED: dict[str, Sequence[str]] = {"kubectl": (_CLUSTER, _CONTEXT, _USER)}
PARTS: dict[str, Sequence[str]] = {
    "go": ("GOPROXY=direct\n", "# mine\n", "\n", " GOAUTH=off\n", "no setting\n", "GOFLAGS=-mod=mod\n"),
    "pnpm": (
        "fund=false\n",
        "; mine\n",
        "\n",
        "\tsave-exact = true \n",
        "//other.example/:_authToken=abc\n",
        "[old]\n",
    ),
    "bazel": ("build --jobs=4\n", "# mine's\n", "\n", "test \\\n  --cache='a b'\n", "import /etc/bazelrc\n"),
    "pip": ("# mine\n", "\n", "[global]\ntimeout = 60\n", "[list]\n\tformat:\n\t  columns\n", "; too\n", "[x]\n"),
    "terraform": ("# mine {\n", "\n", "a = true\n", 'b = "}"\n', "/* {\n*/\n", 'credentials "a.b" { token = "x" }\n'),
    "kubectl": ("# mine\n", "\n", "kind: Config\n", "current-context: one\n", "preferences: {}\n"),
}
CLIENTS = pytest.mark.parametrize("name", PARTS)
WAYS = st.sampled_from([WANTED, wanted(named=True)])


@st.composite
def texts(draw: st.DrawFn, name: str) -> str:
    """Make a file of a client: its parts in any order, with one kind of line end, and with or without the last one."""
    others = draw(st.lists(st.sampled_from(PARTS[name]), unique=True))
    text = "".join(draw(st.permutations([*NEEDED.get(name, ()), *others])))
    text = text if draw(st.booleans()) else text.removesuffix("\n")
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@CLIENTS
@given(data=st.data())
def test_in_and_out(name: str, data: st.DataObject) -> None:
    """What was there stays in its order; a second time changes nothing; then all is as before."""
    text, asked = data.draw(texts(name)), data.draw(WAYS)
    found = client(name).added(text, asked)
    assert client(name).is_there(found, asked) and not client(name).is_there(text, asked)
    assert client(name).added(found, asked) == found
    assert client(name).removed(found, asked) == text
    left = iter(found)
    assert name == "kubectl" or all(character in left for character in text)
    assert "\r\n" not in text or found.count("\n") == found.count("\r\n")


@CLIENTS
@given(data=st.data())
def test_edited_since(name: str, data: st.DataObject) -> None:
    """What a person writes above and below ours is left when ours is taken out."""
    text, asked = data.draw(texts(name).filter(lambda each: each.endswith("\n"))), data.draw(WAYS)
    comment = "; new\n" if name == "pnpm" else "# new\n"
    found = client(name).added(text, asked)
    assert client(name).removed(comment + found + comment, asked) == comment + text + comment


@CLIENTS
@given(data=st.data())
def test_another_origin_stays(name: str, data: st.DataObject) -> None:
    """Nothing is taken out of a file that has nothing of ours."""
    text = data.draw(texts(name))
    assert client(name).removed(text, WANTED) == text


@CLIENTS
@given(text=st.text(alphabet=st.sampled_from("ab:=-#\"'\\{}[]<>*/;|&!? \t\r\n\ufeff\udcff\u2028\x00é"), max_size=40))
def test_any_text(name: str, text: str) -> None:
    """Any text is changed or refused with a reason, and nothing else happens."""
    from tokenctl.errors import UsageError

    try:
        found = client(name).added(text, WANTED)
    except UsageError:
        return
    assert client(name).is_there(found, WANTED)
    client(name).removed(found, WANTED)
