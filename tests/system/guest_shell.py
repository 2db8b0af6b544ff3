# SPDX-License-Identifier: Apache-2.0
"""A running guest that a test talks to: commands in its shell, and the monitor of the platform below it.

The guest's one command is a shell that reads from a virtio-serial port of its own, so that a test can do one thing after
another and disturb the fabric in between.
"""

import json
import re
import socket
import subprocess
import time
from pathlib import Path

from conftest import PROGRAM

PORT = "npuvp.test"
# A port can be opened once only: standard input and output are the same descriptor.
SHELL = (f"for port in /sys/class/virtio-ports/*; do grep -qx {PORT} $port/name && exec sh <> /dev/${{port##*/}} 1>&0 2>&1;"
         " done; exit 3")


class GuestShell:
    """`run` gives (status, output); everything is bounded by `timeout` seconds of the host."""

    def __init__(self, folder, board, *arguments, timeout=120):
        self.monitor_path = folder / "monitor"
        shell_path = folder / "shell"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(shell_path))
            listener.listen()
            listener.settimeout(timeout)
            words = ["-chardev", f"socket,id=test,path={shell_path}", "-device",
                     f"virtserialport,chardev=test,name={PORT}"]
            self.log = open(folder / "npuvp.log", "w+b")
            self.process = subprocess.Popen(
                [PROGRAM, "qemu", "--board", board, "--monitor", self.monitor_path,
                 *(f"--qemu-arg={word}" for word in words), *map(str, arguments), "--", SHELL],
                stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
            try:
                self.socket, _ = listener.accept()
            except TimeoutError:
                self.kill()
                raise
        self.buffer = b""
        self.number = 0
        self.run("true", timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def output_of_program(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def run(self, script, timeout=60):
        """Runs `script`, one or more lines of shell, which may leave processes in the background."""
        self.number += 1
        end = f"@{self.number}@"
        # The mark is split in the command, so that an echo of the shell would not match.
        self.socket.sendall(f"{{\n{script}\n}} < /dev/null 2>&1; echo; echo '@''{self.number}@' $?\n".encode())
        pattern = re.compile(rb"\n" + end.encode() + rb" (\d+)\r?\n")
        deadline = time.monotonic() + timeout
        while not (found := pattern.search(self.buffer)):
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                raise AssertionError(f"no end of '{script}' within {timeout} s:\n{self.buffer.decode(errors='replace')}"
                                     f"\n{self.output_of_program()}") from None
            assert more, f"the guest ended in '{script}':\n{self.output_of_program()}"
            self.buffer += more
        text = self.buffer[:found.start()].decode(errors="replace")
        self.buffer = self.buffer[found.end():]
        return int(found[1]), text.replace("\r", "")

    def check(self, script, timeout=60):
        """Output of a script that must succeed."""
        status, text = self.run(script, timeout)
        assert status == 0, f"'{script}' has status {status}:\n{text}"
        return text.strip("\n")

    def wait_for(self, condition, timeout=60):
        """Polls in the guest until the shell command `condition` succeeds; gives its last output."""
        script = (f"end=$(($(cut -d. -f1 /proc/uptime) + {timeout})); until {{ {condition}; }}; do"
                  " [ $(cut -d. -f1 /proc/uptime) -lt $end ] || { false; break; }; usleep 50000; done")
        status, text = self.run(script, timeout + 60)
        if status:
            raise AssertionError(f"not within {timeout} s: {condition}\n{text}\n{self.run('dmesg | tail -60')[1]}")
        return text.strip("\n")

    def monitor(self, *words):
        """The monitor's answer as JSON; an error of it fails the test."""
        done = subprocess.run([PROGRAM, "monitor", "--json", self.monitor_path, *map(str, words)], capture_output=True,
                              timeout=60, check=False)
        answer = json.loads(done.stdout)
        assert "error" not in answer, answer
        return answer

    def power_off(self, timeout=60):
        """Lets the shell end; npuvp's exit status."""
        self.socket.sendall(b"exit 0\n")
        return self.process.wait(timeout)
