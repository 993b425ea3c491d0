"""Worlds in which the keyring cannot be used."""

import pytest

from tests.killing.scene import wait_until
from tests.support.machine import Machine
from tests.support.worlds.world import undo, unset, world
from tokenctl.fast_path import may_ask


@world(3, "locked", remedy="unlock", mend=lambda machine, found: machine.keyring.unlock())
def keyring_is_locked(machine: Machine) -> None:
    """Nobody has typed the password of the keyring."""
    machine.own_keyring().lock()


@world(0, "locked", remedy="unlock", mend=lambda machine, found: machine.keyring.unlock())
def keyring_is_locked_and_the_kernel_has_a_copy(machine: Machine) -> None:
    """Nobody has typed the password, and the kernel's copy of the access token still answers."""
    if not may_ask():
        pytest.skip("the kernel's keyring cannot be used here")
    del machine.environ["TOKENCTL_PASSPHRASE"]  # with this variable there is no copy
    keyring = machine.own_keyring()
    wait_until(lambda: machine.run("token").status == 0 and machine.copies())
    keyring.lock()


@world(3, "did not answer", remedy="restart it", mend=lambda machine, found: machine.keyring.go_on())
def keyring_does_not_answer(machine: Machine) -> None:
    """Its process is stopped."""
    machine.cleanup.callback(machine.keyring.go_on)
    machine.keyring.pause()


@world(
    3,
    "org.freedesktop.secrets",
    remedy="check that the keyring is running",
    mend=lambda machine, found: machine.keyring.restart(),
)
def keyring_has_ended(machine: Machine) -> None:
    """Its process is gone, and the bus is still there."""
    machine.own_keyring().kill()


@world(3, "no session bus", remedy="--store file", mend=None)
def no_session_bus(machine: Machine) -> None:
    """A login over SSH, without a desktop."""
    del machine.environ["DBUS_SESSION_BUS_ADDRESS"]
    machine.environ["XDG_RUNTIME_DIR"] = str(machine.home.folder)


@world(3, "tcp:", "DBUS_SESSION_BUS_ADDRESS", remedy="--store file", mend=None)
def bus_of_a_kind_that_cannot_be_used(machine: Machine) -> None:
    """The address is one of TCP."""
    machine.environ["DBUS_SESSION_BUS_ADDRESS"] = "tcp:host=127.0.0.1,port=1"


@world(3, "no session bus", remedy="--store file", mend=None)
def bus_is_gone(machine: Machine) -> None:
    """The bus has ended with the desktop, and the shell is still there."""
    machine.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={machine.home.folder}/bus"


@world(3, "PlaintextKeyring", remedy="remove keyring_backend", mend=None)
def keyring_keeps_plain_text(machine: Machine) -> None:
    """The profile names a backend that encrypts nothing, before the first login."""
    machine.forget()
    machine.home.config.write_text(
        machine.home.config.read_text() + 'keyring_backend = "keyrings.alt.file.PlaintextKeyring"\n'
    )


@world(3, "passphrase", remedy="passphrase", mend=undo)
def wrong_passphrase(machine: Machine) -> None:
    """The session is in the file store, and the passphrase is another one."""
    machine.to_file_store()
    right = machine.environ["TOKENCTL_PASSPHRASE"]
    machine.environ["TOKENCTL_PASSPHRASE"] = "canary-wrong-passphrase-0123456789"
    machine.secrets.append("canary-wrong-passphrase-0123456789")
    machine.cleanup.callback(machine.environ.update, TOKENCTL_PASSPHRASE=right)


@world(3, "passphrase", remedy="TOKENCTL_PASSPHRASE", mend=undo)
def no_passphrase(machine: Machine) -> None:
    """The session is in the file store, and nobody gives the passphrase."""
    machine.to_file_store()
    right = machine.environ.pop("TOKENCTL_PASSPHRASE")
    machine.cleanup.callback(machine.environ.update, TOKENCTL_PASSPHRASE=right)


@world(2, "TOKENCTL_STORE", remedy="unset TOKENCTL_STORE", mend=unset)
def store_of_a_variable_is_another_one(machine: Machine) -> None:
    """The session is in the keyring, and a variable says the file store."""
    machine.environ["TOKENCTL_STORE"] = "file"
