"""Commands for events: arguments, variables, exit statuses, time limits."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from audiogmm.errors import ChoiceError
from audiogmm.live.deliver.command import Command, parse_command
from audiogmm.live.deliver.receiver import RefusedError, UndeliveredError
from tests.live.deliver.receivers import delivery_to, row, until

HOSTILE = 'a\nb"; touch PWNED; $(touch PWNED) `touch PWNED`\x00\x1b[2J\udcfc'


def test_hostile_text_arrives_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIOGMM_WEBHOOK_SECRET", "hidden")
    code = (
        "import json, os, sys; "
        "print(json.dumps([sys.argv[1:], sys.stdin.read(), dict(os.environ)]), file=open('out', 'w'))"
    )
    command = Command((sys.executable, "-c", code, "$(touch PWNED)", "{id}"))
    sent = row(1, id=HOSTILE, severity=2.5, reasons=["a", HOSTILE])
    command.send(sent)
    arguments, standard_input, variables = json.loads((tmp_path / "out").read_text())
    assert arguments == ["$(touch PWNED)", "{id}"]
    assert standard_input.count("\n") == 1 and "\x1b" not in standard_input
    assert json.loads(standard_input)["event"]["severity"] == 2.5
    assert variables["AUDIOGMM_SEVERITY"] == "2.5" and variables["AUDIOGMM_EVENT_ID"] == sent["event_id"]
    assert variables["AUDIOGMM_ID"].startswith(r'a\nb"; touch PWNED') and "\n" not in variables["AUDIOGMM_ID"]
    assert "AUDIOGMM_WEBHOOK_SECRET" not in variables
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize(
    ("code", "kind", "counts"),
    [
        ("exit 1", UndeliveredError, True),
        ("exit 75", UndeliveredError, False),
        ("exit 65", RefusedError, None),
    ],
)
def test_the_exit_status_says_what_happens(code: str, kind: type[Exception], counts: bool | None) -> None:
    with pytest.raises(kind, match=f"exit status {code[5:]}: no paper") as failed:
        Command(("/bin/sh", "-c", f"echo noise; echo no paper >&2; {code}")).send(row(1))
    assert getattr(failed.value, "counts", None) == counts


def test_a_command_that_reads_nothing_and_takes_a_signal(tmp_path: Path) -> None:
    Command(("/bin/true",)).send(row(1, explanation={"text": "x" * 1_000_000}))
    with pytest.raises(UndeliveredError, match="signal 9"):
        Command(("/bin/sh", "-c", "kill -9 $$")).send(row(1))
    with pytest.raises(UndeliveredError, match="cannot be run"):
        Command((str(tmp_path),)).send(row(1))


def test_a_command_over_its_time_is_killed_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = f"sleep 1000 & echo $! > {pid}; wait"
    with pytest.raises(UndeliveredError, match=r"ran longer than 0\.5 s"):
        Command(("/bin/sh", "-c", code), limit=0.5).send(row(1))
    child = int(pid.read_text())

    def is_gone() -> bool:
        try:
            return Path(f"/proc/{child}/stat").read_text().split()[2] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    until(is_gone)


def test_the_end_of_a_run_kills_what_runs_still_and_the_event_stays(tmp_path: Path) -> None:
    command = Command(("/bin/sh", "-c", f"echo > {tmp_path}/begun; sleep 1000"), limit=1000.0)
    delivery = delivery_to(command, tmp_path / "spool.jsonl")
    delivery.put(row(1))
    until((tmp_path / "begun").exists)
    delivery.close(0.0)
    again = Command(("/bin/sh", "-c", f"cat >> {tmp_path}/out"))
    delivery = delivery_to(again, tmp_path / "spool.jsonl")
    delivery.close()
    assert json.loads((tmp_path / "out").read_text())["number"] == 1


def test_at_most_some_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "mkdir running.$$; ls -d running.* | wc -l >> counts; cat > /dev/null; rmdir running.$$"
    monkeypatch.chdir(tmp_path)
    command = Command(("/bin/sh", "-c", code), at_once=2)
    delivery = delivery_to(command, tmp_path / "spool.jsonl")
    for number in range(12):
        delivery.put(row(number))
    until(lambda: len(delivery.spool) == 0)
    delivery.close()
    counts = [int(line) for line in (tmp_path / "counts").read_text().split()]
    assert len(counts) == 12 and max(counts) <= 2


@pytest.mark.parametrize("text", ["", "'open", "no-such-program-here --x"])
def test_a_command_that_cannot_be_is_refused_before_the_run(text: str) -> None:
    with pytest.raises(ChoiceError, match=r"--exec .*; needed: "):
        parse_command(text)
