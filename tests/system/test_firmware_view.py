# SPDX-License-Identifier: Apache-2.0
"""Profile, coverage and traces of the firmware as built: what they must say of a boot and of a run."""

import re
import xml.etree.ElementTree

from conftest import BUILD, IMAGES, MODEL, SOURCE, assert_usage_error, npuvp


def ready_line(result):
    assert result.status == 0, result.stderr.decode()
    return re.search(r"card ready after .*", result.stderr.decode()).group()


def test_a_boot_that_is_looked_at_is_the_same_boot(tmp_path):
    plain = npuvp("boot")
    seen = npuvp("boot", "--profile", tmp_path / "p.svg", "--coverage", tmp_path / "c.info", "--trace", tmp_path / "t.pftrace",
                 "--trace", f"fw={tmp_path}/fw.txt", "--trace", f"insn={tmp_path}/insn.txt", timeout=300)
    assert ready_line(plain) == ready_line(seen)
    assert plain.stdout == seen.stdout

    titles = [element.text for element in xml.etree.ElementTree.parse(tmp_path / "p.svg").iter()
              if element.tag.endswith("title")]
    for name in ("hart 0", "rom_main", "cp_main", "service_init"):
        assert any(title.startswith(f"{name}: ") for title in titles), titles
    # cp_main stands on cp_start: the ROM's jump to it is no call.
    calls = (tmp_path / "fw.txt").read_text()
    assert re.search(r"us hart 0 > rom_reset\n", calls)
    assert re.search(r"us hart 0   > cp_main\n", calls), calls[-2000:]
    assert re.search(r"us hart 0     > service_init\n", calls)
    assert b"service_init" in (tmp_path / "t.pftrace").read_bytes()

    instructions = int(re.search(r"(\d+) instructions", ready_line(plain)).group(1))
    lines = [line for line in (tmp_path / "insn.txt").read_text().splitlines() if " trap: " not in line]
    # What the firmware does until the simulation ends behind "ready".
    assert instructions <= len(lines) <= instructions + 50000
    assert re.match(r" +0\.000 us hart 0 0x00000000 <rom_reset\+0> +30401073 csrrw x0, 0x304, x0", lines[0]), lines[0]


def read_lcov(file):
    """{source file: ({line: count}, {function: calls})}"""
    files = {}
    for line in file.read_text().splitlines():
        word, _, rest = line.partition(":")
        if word == "SF":
            lines, functions = files.setdefault(rest, ({}, {}))
        elif word == "DA":
            number, count = rest.split(",")
            lines[int(number)] = int(count)
        elif word == "FNDA":
            count, name = rest.split(",")
            functions[name] = int(count)
    return files


def test_coverage_of_a_boot_and_of_a_run(tmp_path):
    assert npuvp("boot", "--coverage", tmp_path / "boot.info", timeout=300).status == 0
    files = read_lcov(tmp_path / "boot.info")
    for name, (lines, _) in files.items():
        text = open(name, encoding="utf-8").read().splitlines()
        assert max(lines) <= len(text), name
        for number in lines:
            assert text[number - 1].strip() not in ("", "{"), f"{name}:{number}"
    service = SOURCE / "firmware/cp/service.c"
    lines, functions = files[str(service)]
    text = service.read_text().splitlines()
    ready = 1 + next(index for index, line in enumerate(text) if '"ready"' in line)
    assert lines[ready] == 1
    assert functions["service_init"] == 1
    jobs = files[str(SOURCE / "firmware/cp/jobs.c")]
    assert jobs[1]["jobs_init"] == 1 and jobs[1]["jobs_serve_task_manager"] == 0
    # The ROM's work, in a file that the firmware has too: the image that the host loads is the one it looks at so far.
    assert files[str(SOURCE / "firmware/lib/image_authority.c")][1]["image_check_authority"] == 1

    assert npuvp("run", MODEL, "--input", IMAGES, "--coverage", tmp_path / "run.info", timeout=300).status == 0
    jobs = read_lcov(tmp_path / "run.info")[str(SOURCE / "firmware/cp/jobs.c")]
    assert jobs[1]["jobs_serve_task_manager"] > 0


def test_a_profile_adds_up(tmp_path):
    result = npuvp("boot", "--profile", tmp_path / "p.folded", timeout=300)
    stacks = dict(line.rsplit(" ", 1) for line in (tmp_path / "p.folded").read_text().splitlines())
    spent = sum(int(time) for time in stacks.values())
    instructions = int(re.search(r"(\d+) instructions", ready_line(result)).group(1))
    # At least a nanosecond an instruction.
    assert spent >= instructions
    assert any(stack.startswith("hart 0;cp_start;cp_main;service_init") or
               stack.startswith("hart 0;rom_reset") for stack in stacks)


def test_register_accesses_are_shown_decoded():
    log = npuvp("boot", "--trace", "regs", timeout=300).stderr.decode()
    assert re.search(r"system_controller: read NEURAL_ENGINES 0x8.*by hart 0 at pc 0x", log), log[:2000]
    assert ".endpoint" not in log


def test_wrong_options_are_one_line(tmp_path):
    assert_usage_error(npuvp("boot", "--trace", "fw="), "no file")
    assert_usage_error(npuvp("boot", "--trace", "regs=x"), "stderr only")
    assert_usage_error(npuvp("boot", "--trace", "fw=/nowhere/x"), "writable folder")
    assert_usage_error(npuvp("boot", "--profile", "/nowhere/p.svg"), "writable folder")
    assert_usage_error(npuvp("boot", "--profile", tmp_path / "p.svg", "--symbols", "/nowhere"), "cannot be read")
    assert_usage_error(npuvp("boot", "--coverage", tmp_path / "c", "--symbols", BUILD / "firmware/rom.bin"), "not an RV64 ELF")
