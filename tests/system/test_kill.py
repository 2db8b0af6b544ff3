# SPDX-License-Identifier: Apache-2.0
"""Killing npuvp or QEMU at any moment leaves nothing behind, and the next start works."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import PROGRAM, npuvp


def children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def command_name(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_until(condition, seconds=10):
    """Waits for something the kernel does in its own time after a kill; false if it never comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def start(tmp_path):
    environment = dict(os.environ, TMPDIR=str(tmp_path))
    return subprocess.Popen([PROGRAM, "qemu", "--", "sleep 60"], stdin=subprocess.DEVNULL, env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.3, 1.5, 5.0])
def test_killing_the_simulator(tmp_path, number, delay):
    process = start(tmp_path)
    time.sleep(delay)
    family = children(process.pid)
    process.send_signal(number)
    process.communicate(timeout=20)
    assert wait_until(lambda: not any(alive(pid) for pid in family)), [command_name(pid) for pid in family]
    assert wait_until(lambda: not list(tmp_path.iterdir())), list(tmp_path.iterdir())


@pytest.mark.parametrize("delay", [0.0, 0.5, 4.0])
def test_killing_the_guest(tmp_path, delay):
    process = start(tmp_path)
    qemu = []
    assert wait_until(lambda: qemu.extend(p for p in children(process.pid) if "qemu" in command_name(p)) or qemu)
    time.sleep(delay)
    os.kill(qemu[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "the guest ended" in errors.decode()
    assert wait_until(lambda: not list(tmp_path.iterdir()))


def test_the_next_start_works():
    result = npuvp("qemu", "--", "echo", "again")
    assert (result.status, result.stdout) == (0, b"again\n")
