"""The users and contexts of a kubeconfig."""

import os
from pathlib import Path

import pytest

from tests.support.config_files import OTHER
from tests.support.config_files.kubectl import FILES
from tests.support.wanted import WANTED, wanted
from tokenctl.errors import UsageError
from tokenctl.handoff.clients import kubectl
from tokenctl.handoff.clients.wanted import Foreign, Unreadable

USER = """\
- name: me@tokenctl-t
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args:
      - helper
      - kubectl
      - "-p"
      - t
      command: /opt/tokenctl/bin/tokenctl
      env: null
      installHint: install tokenctl, and sign in with 'tokenctl login'
      interactiveMode: IfAvailable
      provideClusterInfo: true
"""


def _file(name: str) -> str:
    return (FILES[name] or b"").decode()


def test_golden() -> None:
    """One user is added, one name is changed, and every other line is as it was."""
    before = _file("a user of another cluster")
    found = kubectl.added(before, wanted(named=True))
    assert found == before.replace("user: me\n", "user: me@tokenctl-t\n") + USER


def test_names_as_they_were_written() -> None:
    """The new name stands in the quotes of the old one; without an old one there is a line for it."""
    assert "user: 'arn:aws:x@tokenctl'\n" in kubectl.added(_file("a quoted name"), WANTED)
    assert 'user: "me@tokenctl" # mine\n' in kubectl.added(_file("a name in double quotes"), WANTED)
    assert "    cluster: one\n    user: tokenctl\n" in kubectl.added(_file("a context without a user"), WANTED)


def test_context_with_credentials() -> None:
    """A context that has credentials keeps them where another one has none."""
    found = kubectl.added(_file("one context free, one not"), WANTED)
    assert "user: you@tokenctl\n" in found and "user: me\n" in found


def test_replaced_user() -> None:
    """A user whose credentials are replaced stays in the file, for other contexts and for the way back."""
    text = _file("a user of another cluster").replace("name: other", "name: me")
    with pytest.raises(Foreign, match="'me'"):
        kubectl.added(text, WANTED)
    found = kubectl.added(text, wanted(replace=True))
    assert "- name: me\n  user:\n    token: abc\n" in found
    assert kubectl.removed(found, WANTED) == text


def test_one_user_of_two_clusters() -> None:
    """A user of ours that another context has stays until that one is taken out."""
    text = (
        _file("an empty list of users").replace("https://elsewhere.example", OTHER).replace("user: other", "user: me")
    )
    both = kubectl.added(kubectl.added(text, WANTED), wanted(origin=OTHER))
    assert both.count("name: me@tokenctl\n") == 1
    left = kubectl.removed(both, WANTED)
    assert kubectl.is_there(left, wanted(origin=OTHER)) and not kubectl.is_there(left, WANTED)
    assert kubectl.removed(left, wanted(origin=OTHER)) == text


def test_no_cluster() -> None:
    """A cluster that is not in the file is made by kubectl itself; the hint says how."""
    with pytest.raises(UsageError, match="no context for a cluster") as caught:
        kubectl.added("", WANTED)
    assert "kubectl config set-cluster" in str(caught.value.hint)


def test_by_hand() -> None:
    """Where the file cannot be changed, the hint is the command that kubectl has for it."""
    with pytest.raises(Unreadable) as caught:
        kubectl.added("users: &all []\n", wanted(named=True))
    assert "--exec-arg=helper --exec-arg=kubectl --exec-arg=-p --exec-arg=t" in str(caught.value.hint)


def test_file() -> None:
    """The first file of KUBECONFIG counts, as for 'kubectl config'."""
    assert kubectl.path({"HOME": "/h"}) == Path("/h/.kube/config")
    assert kubectl.path({"HOME": "/h", "KUBECONFIG": os.pathsep.join(["", "/a", "/b"])}) == Path("/a")


def test_name_like_ours() -> None:
    """A user that does not call our helper is not ours, whatever its name is."""
    text = (
        _file("a user of another cluster")
        .replace("name: other", "name: tokenctl-x")
        .replace("user: me", "user: tokenctl-x")
    )
    assert kubectl.removed(text, WANTED) == text
