"""What `tokenctl doctor` does: look at everything that `token` needs, and say what is wrong."""

from tokenctl.cli.output import answer, stdout_is_terminal
from tokenctl.cli.views import examination as views
from tokenctl.cli.views.document import as_text
from tokenctl.doctor import examination
from tokenctl.doctor.case import case_of
from tokenctl.runtime import Runtime


def examine(runtime: Runtime, name: str | None, *, offline: bool, write_test: bool, as_json: bool) -> int:
    """Examine, show the findings, and return the exit status that `token` would end with."""
    found = examination.examine(case_of(runtime, name, offline=offline, write_test=write_test))
    if as_json:
        answer(as_text(views.document(found)))
    elif not stdout_is_terminal():
        answer("\n".join(views.lines(found)))
    else:
        from tokenctl.cli.views import diagnosis, panels

        panels.draw(diagnosis.drawn(found), diagnosis.width())
    return found.exit_status
