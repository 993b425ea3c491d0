"""Choosing and opening a keyring backend."""

import sys

import pytest

from tests.servers.hung_bus import HungBus
from tests.support.ring import Ring
from tokenctl.errors import StoreTimedOut, StoreUnavailable
from tokenctl.storage.backends import SESSION_COLLECTION, open_backend, open_session_backend
from tokenctl.storage.keyring_store import KeyringStore
from tokenctl.storage.patience import UNATTENDED


@pytest.mark.parametrize(
    "name",
    [
        *("keyring.backends.null.Keyring", "keyring.backends.fail.Keyring", "keyring.backends.chainer.ChainerBackend"),
        *(
            "keyrings.alt.file.PlaintextKeyring",
            "no.such.Module",
            "tokenctl.model.session.Session",
            "tokenctl.model.session.absent",
        ),
        *("tokenctl.model.session", "Ring", "", ".", "x" * 999, ".relative.Ring"),
    ],
)
def test_a_backend_that_keeps_nothing_or_is_none_is_refused(name: str) -> None:
    """Plain text least of all, even when it is named."""
    with pytest.raises(StoreUnavailable) as caught:
        open_backend(name, UNATTENDED)
    assert len(caught.value.message) < 300


def test_a_backend_is_opened_by_its_class_name() -> None:
    """The name that a store tells is the one that opens it again."""
    assert isinstance(open_backend(KeyringStore(Ring()).backend, UNATTENDED), Ring)


@pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere the platform has one")
def test_without_any_keyring_the_reasons_and_the_ways_out_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """SSH, a container, CI: one clear error."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/absent")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(StoreUnavailable, match="no usable keyring") as caught:
        open_backend(None, UNATTENDED)
    assert "--store file" in (caught.value.hint or "") and "--store memory" in (caught.value.hint or "")


@pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere the platform has one")
def test_a_bus_that_lets_nobody_in_is_not_a_keyring_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other backend is taken in its place."""
    with HungBus("silent") as bus:
        for name, value in bus.environ.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(StoreTimedOut):
            open_backend(None, UNATTENDED)


@pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service's collection")
def test_the_session_ring_keeps_to_its_collection() -> None:
    """What shall end with the session never goes into the collection that stays."""
    assert getattr(open_session_backend(UNATTENDED), "preferred_collection", None) == SESSION_COLLECTION
