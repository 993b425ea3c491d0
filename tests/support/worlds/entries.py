"""Worlds in which the session is not there, or cannot be used any more."""

import json
import time

from tests.servers.faulty_server import Reply, json_reply
from tests.support.flows import always, rewritten
from tests.support.machine import PROFILE, Machine
from tests.support.worlds.world import sign_in, undo, world


@world(4, "work", remedy="tokenctl login", mend=sign_in)
def signed_out(machine: Machine) -> None:
    """Somebody ran `revoke`."""
    assert machine.run("revoke").status == 0


@world(4, "work", remedy="tokenctl login", mend=sign_in)
def entry_was_deleted(machine: Machine) -> None:
    """A person deleted it in the keyring's own program; the redo log is still there."""
    machine.keyring.clear(f"tokenctl:{PROFILE}", "session")


@world(3, "damaged", "tokenctl:work", remedy="tokenctl login", mend=sign_in)
def entry_is_damaged(machine: Machine) -> None:
    """The text in the keyring was cut off."""
    machine.replace_entry(json.dumps(machine.entry)[:100])


@world(3, "version 99", remedy="newer tokenctl", mend=None)
def entry_of_a_newer_version(machine: Machine) -> None:
    """A later tokenctl wrote it."""
    machine.change_entry(version=99)


@world(4, "the server ended the session", remedy="tokenctl login", mend=sign_in)
def session_is_dead(machine: Machine) -> None:
    """The server refused the refresh token, and the access token has expired since."""
    machine.server.overrides["/token"] = always(json_reply({"error": "invalid_grant"}, 400))
    assert machine.run("refresh").status == 4
    machine.server.overrides.clear()
    machine.age()


@world(0, "refused", remedy="tokenctl login", mend=sign_in)
def session_is_dead_and_its_token_lives(machine: Machine) -> None:
    """The server refused the refresh token: in a quarter of an hour nothing works any more."""
    machine.server.overrides["/token"] = always(json_reply({"error": "invalid_grant"}, 400))
    assert machine.run("refresh").status == 4
    machine.server.overrides.clear()


def finish(machine: Machine, found: str) -> None:
    """Finish the sign-out, as the remedy says, and sign in again."""
    machine.type(found)
    machine.sign_in()


@world(4, "signing out", remedy="tokenctl revoke -p work", mend=finish)
def signing_out_was_cut_off(machine: Machine) -> None:
    """The answer to `revoke` was lost."""
    machine.server.overrides["/revoke"] = lambda request: Reply(drop_before=True)
    assert machine.run("revoke").status == 6
    machine.server.overrides.clear()


@world(4, "refresh token", remedy="tokenctl login", mend=sign_in)
def expired_without_a_refresh_token(machine: Machine) -> None:
    """The server gave none, and the access token has expired."""
    machine.forget()
    machine.server.overrides["/token"] = rewritten(machine.server, refresh_token=None)
    machine.sign_in()
    machine.server.overrides.clear()
    machine.age()


@world(2, "state directory", remedy="use that one .TOKENCTL_STATE_DIR.", mend=undo)
def renewed_by_another_state_directory(machine: Machine) -> None:
    """Another TOKENCTL_STATE_DIR has the lock of this session."""
    machine.cleanup.callback(machine.environ.update, TOKENCTL_STATE_DIR=str(machine.state))
    machine.environ["TOKENCTL_STATE_DIR"] = str(machine.home.folder / "another-state")
    machine.age()


@world(
    6,
    "did not answer the last 8 requests",
    remedy="try again after that",
    mend=lambda machine, found: change_journal(machine, not_before=0),
)
def refresh_token_in_doubt(machine: Machine) -> None:
    """Its answers were lost, and nothing is sent during the pause."""
    machine.server.overrides["/token"] = always(Reply(drop_before=True))
    assert machine.run("refresh").status == 6
    machine.server.overrides.clear()
    machine.age()
    change_journal(machine, tries=8, not_before=int(time.time()) + 250)


@world(
    6,
    "asked not to be asked again",
    remedy="try again after that",
    mend=lambda machine, found: change_journal(machine, not_before=0),
)
def server_asked_for_a_pause(machine: Machine) -> None:
    """The server was overloaded, and said when to ask again."""
    machine.server.overrides["/token"] = always(json_reply({}, 503, retry_after="250"))
    assert machine.run("refresh").status == 6
    machine.server.overrides.clear()
    machine.age()


def change_journal(machine: Machine, **members: object) -> None:
    """Change what the journal says of the refresh token: so nobody has to wait."""
    (journal,) = machine.folder.glob("journal.*")
    journal.write_text(json.dumps(json.loads(journal.read_text()) | members))


@world(4, "secret", remedy="--client-secret-stdin", mend=lambda machine, found: machine.sign_in_without_a_person())
def secret_of_a_machine_is_gone(machine: Machine) -> None:
    """A machine's secret was deleted from the keyring, and its token has expired."""
    machine.sign_in_without_a_person()
    machine.keyring.clear(f"tokenctl:{PROFILE}", "secret")
    machine.age()
