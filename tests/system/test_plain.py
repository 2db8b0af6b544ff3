# SPDX-License-Identifier: Apache-2.0
"""Cards as plain endpoints on the guest's own bus, and platforms that a hypervisor of somebody else's connects to."""

import re
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from conftest import BUILD, IMAGES, MODEL, PROGRAM, assert_usage_error, npuvp, run_json

SECONDS = 200  # for a guest to boot, on a busy machine
DEMO = ("cd /root; npu-classify model.onnx --input images.npy --output /tmp/logits.npy > /dev/null && "
        "cat /tmp/logits.npy")


@pytest.fixture(name="logits", scope="module")
def fixture_logits(tmp_path_factory):
    """What the same job gives without QEMU."""
    folder = tmp_path_factory.mktemp("inproc")
    run_json(folder, "run", "run", MODEL, "--input", IMAGES, "--output", folder / "logits.npy")
    return (folder / "logits.npy").read_bytes()


def test_demo_gives_the_bits_of_the_in_process_run(tmp_path, logits):
    _, figures = run_json(tmp_path, "demo", "demo", "--attach", "endpoints", "--output", tmp_path / "logits.npy")
    assert (tmp_path / "logits.npy").read_bytes() == logits
    assert figures["wrong_outputs"] == 0
    assert figures["misuse_reports"] == 0


def test_four_cards_are_on_the_guests_own_bus():
    result = npuvp("qemu", "--attach", "endpoints", "--board", "server-4", "--",
                   "ls /dev/accel; lspci -D -d 1eff:; lspci -vv -s 3:0 | grep -E 'Region|LnkSta:|SR-IOV';"
                   "for n in 0 1 2 3; do npu_load_test --card /dev/accel/accel$n --jobs 20 > /dev/null; echo load $?; done;"
                   "echo complaints $(dmesg | grep -ciE 'oops|bug:|warning:|call trace|hung')")
    text = result.stdout.decode()
    assert re.findall(r"^accel\d$", text, re.M) == ["accel0", "accel1", "accel2", "accel3"], text
    assert re.findall(r"^(\S+) Processing acc", text, re.M) == [f"0000:0{bus}:00.0" for bus in range(1, 5)], text
    assert "[size=64K]" in text and "[size=256M]" in text and "32GT/s, Width x16" in text, text
    assert "SR-IOV" not in text
    assert text.count("load 0") == 4 and "complaints 0" in text, text + result.stderr.decode()


def test_a_function_level_reset_under_load():
    card = "/sys/bus/pci/devices/0000:01:00.0"
    result = npuvp("qemu", "--attach", "endpoints", "--",
                   "npu_load_test --seconds 1000 --copies 1000 --in-flight 16 --under-way /tmp/under-way & load=$!;"
                   "until [ -e /tmp/under-way ] || ! kill -0 $load; do usleep 20000; done;"
                   f"echo flr > {card}/reset_method; echo 1 > {card}/reset; kill $load; wait $load; echo load $?;"
                   f"npu_load_test --jobs 20; echo after $?; cat {card}/npu/recoveries")
    text = result.stdout.decode()
    assert "load 0" in text and "after 0" in text and " 0 lost; 0 wrong" in text, text + result.stderr.decode()
    assert int(re.search(r"(\d+) aborted", text)[1]) > 0, text


# Platforms for others' hypervisors.

class Served:
    """`npuvp serve`, and the options that it printed for QEMU."""

    def __init__(self, folder, attach, board="server-1", cards=1):
        self.folder = folder
        arguments = [PROGRAM, "serve", "--board", board, "--attach", attach, "--sockets", folder]
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.options = []
        while sum("vfio-user-pci" in word for word in self.options) < cards:
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read()
            self.options += shlex.split(line)

    def end(self, number):
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture(name="serve")
def fixture_serve():
    served = []
    yield lambda *arguments: served.append(Served(*arguments)) or served[-1]
    for each in served:
        each.stop()


def archive(files):
    """A cpio archive (newc) with what the demo needs."""
    def entry(name, mode, data):
        fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        return b"".join(part + bytes(-len(part) % 4) for part in (head, data))

    return b"".join(entry(name, 0o100644, data) for name, data in files.items()) + entry("TRAILER!!!", 0, b"")


class Guest:
    """A QEMU of our own, with the ports of guest/README.md."""

    def __init__(self, tmp_path, options, command):
        cache = Path(re.search(r"^NPUVP_CACHE_DIR:\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M)[1])
        initramfs = tmp_path / "initramfs"
        initramfs.write_bytes((BUILD / "guest/initramfs.cpio").read_bytes() +
                              archive({"root/model.onnx": MODEL.read_bytes(), "root/images.npy": IMAGES.read_bytes()}))
        arguments = [cache / "qemu-system-x86_64", "-nodefaults", "-display", "none", "-no-reboot", *options,
                     "-kernel", cache / "kernel/boot/vmlinux", "-initrd", initramfs, "-append",
                     "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check npuvp.mode=command",
                     "-device", "virtio-serial-pci"]
        self.ports, theirs = {}, []
        for name in ("command", "stdout", "stderr", "status"):
            self.ports[name], end = socket.socketpair()
            theirs.append(end)
            arguments += ["-chardev", f"socket,id={name},fd={end.fileno()}",
                          "-device", f"virtserialport,chardev={name},name=npuvp.{name}"]
        self.process = subprocess.Popen(list(map(str, arguments)), stdin=subprocess.DEVNULL,
                                        pass_fds=[end.fileno() for end in theirs])
        for end in theirs:
            end.close()
        self.ports["command"].sendall(command.encode() + b"\n")

    def wait_for(self, text, seconds=SECONDS):
        """Reads standard output until `text` is in it."""
        self.ports["stdout"].settimeout(seconds)
        got = b""
        while text not in got:
            part = self.ports["stdout"].recv(65536)
            assert part, got
            got += part

    def finish(self):
        """The command's whole output."""
        self.ports["stdout"].settimeout(SECONDS)
        output = b""
        try:
            while part := self.ports["stdout"].recv(65536):
                output += part
        except ConnectionResetError:  # QEMU ended with something unread
            pass
        assert self.process.wait(timeout=20) == 0
        return output

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.mark.parametrize("attach", ["endpoints", "domain"])
def test_guests_come_and_go(tmp_path, logits, serve, attach):
    served = serve(tmp_path / "sockets", attach)
    for kill in (True, False, False):
        if kill:
            # Killed while the card works: what it did must not reach the next guest.
            guest = Guest(tmp_path, served.options, "npu_load_test --seconds 60 & sleep 1; echo loaded; wait")
            guest.wait_for(b"loaded")
            guest.kill()
        else:
            assert Guest(tmp_path, served.options, DEMO).finish() == logits
    status, errors = served.end(signal.SIGTERM)
    assert status == 0, errors
    assert "error" not in errors, errors
    assert not served.folder.exists()


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)])
@pytest.mark.parametrize("attach, names", [("domain", ["domain.sock"]),
                                           ("endpoints", [f"card{card}.sock" for card in range(4)])])
def test_nothing_is_left_behind(tmp_path, serve, number, status, attach, names):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes").write_text("not npuvp's")
    served = serve(folder, attach, "server-4", len(names) if attach == "endpoints" else 1)
    assert sorted(file.name for file in folder.iterdir()) == names + ["notes"]
    assert served.end(number)[0] == status
    end = time.monotonic() + 10
    while len(list(folder.iterdir())) > 1 and time.monotonic() < end:
        time.sleep(0.02)  # after a kill the helper acts in its own time
    assert [file.name for file in folder.iterdir()] == ["notes"]


def test_others_sockets_are_left_alone(tmp_path, serve):
    served = serve(tmp_path, "domain")
    assert_usage_error(npuvp("serve", "--sockets", tmp_path), str(tmp_path), "another npuvp")
    assert (tmp_path / "domain.sock").exists()
    assert served.end(signal.SIGTERM)[0] == 0
    (tmp_path / "domain.sock").touch()
    assert_usage_error(npuvp("serve", "--sockets", tmp_path), "domain.sock", "exists")
    assert (tmp_path / "domain.sock").exists()
    assert_usage_error(npuvp("serve", "--sockets", tmp_path / "domain.sock"), "domain.sock", "folder")
    assert_usage_error(npuvp("serve", "--sockets", tmp_path / "a" / "b"), "a/b")
    assert_usage_error(npuvp("serve", "--sockets", tmp_path / ("x" * 200)), "domain.sock")
