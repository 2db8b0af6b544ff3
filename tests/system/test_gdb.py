# SPDX-License-Identifier: Apache-2.0
"""Sessions with the real gdb-multiarch: the firmware from reset, a program on four harts, and a card below a guest."""

import contextlib
import os
import re
import subprocess
import time

import pytest

from conftest import BUILD, PROGRAM, assert_usage_error, npuvp
from guest_shell import GuestShell

FIRMWARE = BUILD / "firmware"
FOUR_HARTS = BUILD / "tests/system/four_harts.elf"
GDB = ["gdb-multiarch", "-nx", "-batch", "-ex", "set confirm off", "-ex", "set width 0", "-ex", "set pagination off",
       "-ex", "set remotetimeout 20"]

# Ctrl-C half a second later.
INTERRUPT_SOON = ("python import os, threading",
                  "python threading.Timer(0.5, lambda: os.kill(os.getpid(), 2)).start()")


@contextlib.contextmanager
def booting(folder, *arguments, board="server-1-4h"):
    """npuvp boot with its debugger's socket at folder/gdb."""
    path = folder / "gdb"
    process = subprocess.Popen([PROGRAM, "boot", "--board", board, "--gdb", path, *map(str, arguments)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(400):
            if path.exists() or process.poll() is not None:
                break
            time.sleep(0.05)
        yield process, path
    finally:
        process.kill()
        process.communicate()


def gdb(path, program, *commands, status=0):
    """What gdb says to the commands, line after line of the program's socket."""
    words = [word for command in (f"target remote {path}", *commands) for word in ("-ex", command)]
    done = subprocess.run([*GDB, program, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def value(text, number):
    """The value that gdb's print gave as $NUMBER."""
    return re.search(rf"^\${number} = (.*)$", text, re.MULTILINE).group(1)


def test_the_firmware_from_reset(tmp_path):
    with booting(tmp_path, "--break-at-reset") as (process, path):
        text = gdb(path, FIRMWARE / "cp.elf", "print $pc", "info threads",
                   "break service_init", "continue", "backtrace",
                   "watch board_.neural_engines", "continue", "print board_.neural_engines",
                   "delete", "break jobs_init", "continue", "finish", "print board_", "next", "stepi", "print $pc == $pc",
                   "print/x $mstatus & 8", "print $mhartid", "print $priv", "print $fs0.double",
                   "thread 4", "print $mhartid", "x/i $pc", "stepi", "stepi", "x/i $pc",
                   "monitor regs dma0", "monitor regs mailbox.host", "monitor time", "detach")
        output, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
    assert value(text, 1) == "(void (*)()) 0x0" or value(text, 1).startswith("(void (*)(void)) 0x0"), text
    assert re.search(r"4 +Thread 4 .*hart 3", text), text
    assert re.search(r"#0 +service_init .*service\.c:\d+", text) and re.search(r"#1 .*cp_main .*main\.c:\d+", text), text
    # The watchpoint: the strap of the card has 8 Neural Engines (platform/boards/cards/atom-ca22.yaml).
    assert "Old value = 0" in text and "New value = 8" in text, text
    assert value(text, 2) == "8"
    assert "neural_engines = 8" in value(text, 3) and "cp_mhz = 1000" in value(text, 3)
    assert re.search(r"hit Breakpoint \d+, jobs_init \(", text), text
    assert value(text, 5) == "0x0" and value(text, 6) == "0" and value(text, 7) == "3"
    assert value(text, 9) == "3", "mhartid of thread 4"
    # Hart 3 sleeps in the ROM's loop of WFI and jump, in which it can be stepped.
    assert re.search(r"=> 0x[0-9a-f]+( <[^>]*>)?:\s+(wfi|j\s)", text), text
    assert re.search(r"external_hdma\n +\+0x0000 ", text), text
    assert "ID                       0x3055504e" in text, text
    assert re.search(r"hart 3 +\d+ ps", text)
    assert "rom: npu boot ROM" in output


def test_breakpoints_watchpoints_and_steps_on_hart_3(tmp_path):
    with booting(tmp_path, "--fw", FOUR_HARTS, "--break-at-reset") as (_, path):
        text = gdb(path, FOUR_HARTS, "info threads",
                   "break count thread 4", "continue", "print $mhartid", "backtrace", "print *counter",
                   "step", "step", "info source", "finish", "delete",
                   "thread 4", "watch counters[3].rounds", "continue", "print counters[3]", "delete",
                   "hbreak add if hart == 3 && sum >= 8", "continue", "print sum", "print $mhartid", "up",
                   "print *counter", "delete",
                   "break count thread 1", "continue", "print $mhartid", "print counter->hart", "delete",
                   "rwatch counters[2].hart", "continue", "print $mhartid", "x/i $pc",
                   "set var counters[1].sum = 1000", "print counters[1].sum", "compare-sections", "kill")
    numbers = {number: found for number, found in re.findall(r"^\$(\d+) = (.*)$", text, re.MULTILINE)}
    assert numbers["1"] == "3", text
    assert re.search(r"#0 +count \(counter=(counter@entry=)?0x[0-9a-f]+ <counters\+48>\) .*four_harts\.c:\d+", text), text
    assert re.search(r"#1 .*hart_main \(hart=3\)", text), text
    assert numbers["2"] == "{rounds = 0, hart = 3, sum = 0}"
    assert re.search(r"^add \(sum=0, hart=3\)", text, re.MULTILINE), text
    assert "Value returned is $3 = 4" in text
    assert "Hardware watchpoint 2: counters[3].rounds" in text and "Old value" in text, text
    old, new = (int(word) for word in re.search(r"Old value = (\d+)\nNew value = (\d+)", text).groups())
    assert new == old + 1
    # Each round of hart 3 adds 4.
    assert numbers["4"] == f"{{rounds = {new}, hart = 3, sum = {4 * new}}}"
    assert numbers["5"] == "8" and numbers["6"] == "3"
    assert numbers["7"] == "{rounds = 2, hart = 3, sum = 8}"
    assert numbers["8"] == "0" and numbers["9"] == "0"
    assert numbers["10"] == "2", "hart 2 reads its own counter"
    assert numbers["11"] == "1000"
    assert text.count("matched.") >= 1 and "MIS-MATCHED" not in text


def test_load_reset_and_the_end_of_the_command(tmp_path):
    with booting(tmp_path, "--break-at-reset") as (process, path):
        text = gdb(path, FOUR_HARTS, "load", "compare-sections .text", "thread apply all set $pc = _start",
                   "break add if hart == 2", "continue", "print hart", "print $_thread",
                   "monitor reset", "maintenance flush register-cache", "print/x $pc", "thread 3", "print/x $pc",
                   "print/x $sp", "monitor help", "monitor nothing", "monitor regs nothing", "kill")
        process.communicate(timeout=20)
        assert process.returncode == 0
    assert "Start address 0x" in text and "matched." in text
    assert value(text, 1) == "2" and value(text, 2) == "3", text
    assert (value(text, 3), value(text, 4), value(text, 5)) == ("0x0", "0x0", "0x0")
    assert "regs [BLOCK]" in text and "no command 'nothing'" in text and "no block 'nothing'" in text


def test_what_the_firmware_sees_does_not_depend_on_the_debugger(tmp_path):
    plain = npuvp("boot", "--board", "server-1-4h")
    ready = re.search(r"card ready after .*", plain.stderr.decode()).group()
    with booting(tmp_path, "--break-at-reset") as (process, path):
        gdb(path, FIRMWARE / "cp.elf", "break service_init", "continue", "stepi 100", "delete",
            "break service_sleep", "continue", "shell sleep 0.3", "delete", "break mailbox_service_serve", "continue",
            "continue", "delete", *INTERRUPT_SOON, "continue", "detach")
        _, errors = process.communicate(timeout=20)
    assert ready in errors, errors


def test_control_c_and_a_port(tmp_path):
    process = subprocess.Popen([PROGRAM, "boot", "--board", "server-1-4h", "--fw", FOUR_HARTS, "--gdb", "0"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        place = re.search(r"target remote (localhost:\d+)", line).group(1)
        text = gdb(place, FOUR_HARTS, *INTERRUPT_SOON, "continue", "info threads", "print counters[0].rounds > 100", "detach")
        process.communicate(timeout=20)
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()
    assert "SIGINT" in text and value(text, 1) == "1", text


def test_a_guest_uses_the_card_while_its_hart_is_halted(tmp_path):
    path = tmp_path / "gdb"
    with GuestShell(tmp_path, "server-1", "--gdb", path) as guest:
        status, text = guest.run("lspci -D -d 1eff:1220 | cut -d' ' -f1; lspci -v -d 1eff:1220 | grep -m1 'Memory at'")
        assert status == 0, text
        function = text.split()[0]
        bar0 = int(re.search(r"Memory at ([0-9a-f]+)", text).group(1), 16)
        assert guest.run("rmmod npu")[0] == 0
        assert guest.run(f"setpci -s {function} COMMAND=6")[0] == 0
        with subprocess.Popen([*GDB, FIRMWARE / "cp.elf", "-ex", f"target remote {path}", "-ex", "print $mhartid",
                               "-ex", f"shell touch {tmp_path}/halted; while ! [ -e {tmp_path}/done ]; do sleep 0.1; done",
                               "-ex", "x/i $pc", "-ex", "detach"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) as debugger:
            for _ in range(200):
                if (tmp_path / "halted").exists():
                    break
                time.sleep(0.1)
            mailbox_id = guest.run(f"busybox devmem {bar0:#x} 32")
            identity = guest.run(f"setpci -s {function} VENDOR_ID.L")
            (tmp_path / "done").touch()
            text, _ = debugger.communicate(timeout=30)
        assert debugger.returncode == 0 and "detached" in text, text
        # models/mailbox/registers.yaml, and the device's own identity.
        assert mailbox_id == (0, "0x3055504E\n")
        assert identity == (0, "12201eff\n")
        # And the firmware serves the driver again.
        assert "accel0" in guest.check("insmod /lib/modules/*/npu.ko && ls /dev/accel")


@pytest.mark.parametrize("arguments, words", [
    (("--gdb", "70000"), "neither a port"), (("--gdb", "/nowhere/gdb"), "writable folder"),
    (("--break-at-reset",), "give --gdb"), (("--fw", "/nowhere.elf"), "cannot be read"),
    (("--time", "5"), "not a time"), (("--time", "-5ms"), "not a time"), (("--gdb", "0", "--card", "9"), "cards 0 to 0")])
def test_wrong_options_are_one_line(arguments, words):
    assert_usage_error(npuvp("boot", *arguments), words)


def test_a_program_outside_of_the_memory_is_refused(tmp_path):
    elf = tmp_path / "far.elf"
    subprocess.run(["riscv64-unknown-elf-gcc", "-nostdlib", "-nostartfiles", "-Wl,-Ttext=0x30000000", "-x", "assembler",
                    "-", "-o", elf], input=b".globl _start\n_start: j _start\n", check=True)
    assert_usage_error(npuvp("boot", "--fw", elf), "leaves the card's memory")
    assert_usage_error(npuvp("boot", "--fw", "/bin/true"), "not an RV64 ELF")


def test_a_run_of_a_given_time(tmp_path):
    result = npuvp("boot", "--fw", FOUR_HARTS, "--board", "server-1-4h", "--time", "200us", timeout=60)
    assert result.status == 0, result.stderr
    result = npuvp("boot", "--time", "20us")
    assert result.status == 1 and "not ready" in result.stderr.decode()
    assert os.path.exists(FOUR_HARTS)
