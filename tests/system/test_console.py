# SPDX-License-Identifier: Apache-2.0
"""`npuvp boot --console`: the firmware's prompt, from a pipe and from a terminal."""

import os
import pty
import subprocess
import termios

import pytest
from conftest import PROGRAM


def type_in(text):
    return subprocess.run([PROGRAM, "boot", "--console"], input=text, capture_output=True, timeout=60, check=False)


def test_a_piped_input_is_answered_to_its_end():
    result = type_in(b"sensors\nstatus\n")
    assert result.returncode == 0, result.stderr
    console = result.stdout.decode()
    assert console.index("die 30.") < console.index("card 0, firmware ")
    assert console.endswith("npu> ")


def test_input_longer_than_the_fifo_is_not_lost():
    count = 200
    result = type_in(b"help\n" * count)
    assert result.returncode == 0, result.stderr
    assert result.stdout.decode().count("status: what the card does\r\n") == count


def test_an_unknown_command_is_named():
    assert "no command 'reboot'; 'help' lists them" in type_in(b"reboot\n").stdout.decode()


class Terminal:
    """The command on a pseudo-terminal."""

    def __init__(self):
        self.end, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen([PROGRAM, "boot", "--console"], stdin=slave, stdout=slave,
                                        stderr=subprocess.STDOUT)
        self.seen = b""

    def wait_for(self, text):
        while text not in self.seen:
            self.seen += os.read(self.end, 4096)

    def type(self, keys):
        os.write(self.end, keys)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.slave)
        os.close(self.end)


@pytest.fixture
def terminal():
    made = Terminal()
    yield made
    made.close()


def test_a_terminal_types_to_the_firmware_and_gets_itself_back(terminal):
    terminal.wait_for(b"card ready")
    terminal.type(b"bo")
    terminal.wait_for(b"bo")
    terminal.type(b"ot\r")
    terminal.wait_for(b"booted from the host")
    # Ctrl-C is the firmware's: it drops the line.
    terminal.type(b"xyz\x03status\r")
    terminal.wait_for(b"last reset: ")
    assert b"no command" not in terminal.seen
    terminal.type(b"\x01x")
    assert terminal.process.wait(timeout=30) == 0
    assert termios.tcgetattr(terminal.slave) == terminal.before


def test_interrupting_from_outside_ends_it_and_restores_the_terminal(terminal):
    terminal.wait_for(b"card ready")
    terminal.process.terminate()
    assert terminal.process.wait(timeout=30) == 1
    assert termios.tcgetattr(terminal.slave) == terminal.before
