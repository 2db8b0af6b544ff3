# SPDX-License-Identifier: Apache-2.0
"""The vfio-user attachment at the level of its protocol: wrong messages first, then what QEMU does."""

import errno
import os
import random
import select
import struct
import time

import pytest

import vfio_user_client as vfio
from vfio_user_client import BAR0, BAR2, BAR4, CONFIG, NO_REPLY, Client, Refused

PAGE = 4096
CONFIG_BYTES = 32 << 20
BAR2_ADDRESS = 0xe0000000
BAR4_ADDRESS = 0x4000000000
CARD_BAR0 = BAR2_ADDRESS
CARD_BAR2 = BAR4_ADDRESS + (256 << 20)
PORT, CARD = 0, 1 << 20


@pytest.fixture(name="server")
def fixture_server(tmp_path):
    executable = os.environ.get("NPUVP_VFIO_TEST_SERVER")
    if not executable:
        pytest.fail("NPUVP_VFIO_TEST_SERVER must name the test server's executable")
    server = vfio.Server(executable, tmp_path, "domain")
    yield server
    server.stop()


@pytest.fixture(name="client")
def fixture_client(server):
    client = Client(server.path)
    yield client
    assert client.read(CONFIG, 0, 4) == bytes.fromhex("86807fa7"), "the server must still be in order"
    client.socket.close()
    assert server.finish()[0] == 0


def refused(number, function, *arguments, **options):
    with pytest.raises(Refused) as error:
        function(*arguments, **options)
    assert errno.errorcode[error.value.errno] == errno.errorcode[number]


def memory(pages, seal=False):
    fd = os.memfd_create("guest", os.MFD_ALLOW_SEALING if seal else 0)
    os.ftruncate(fd, pages * PAGE)
    return fd


# Wrong messages.

def test_anything_before_the_version_is_refused(server):
    client = Client(server.path, negotiate=False)
    refused(errno.EINVAL, client.call, vfio.GET_INFO, struct.pack("<IIII", 16, 0, 0, 0))
    refused(errno.EINVAL, client.call, vfio.VERSION, b"")
    refused(errno.EINVAL, client.call, vfio.VERSION, b"\0\0\0")
    refused(errno.EINVAL, client.version, major=1)
    refused(errno.EINVAL, client.version, data=b"{}")
    refused(errno.EINVAL, client.version, data=b"{\0")
    refused(errno.EINVAL, client.version, data=b"[" * 100000 + b"\0")
    client.version()
    refused(errno.EINVAL, client.version)


@pytest.mark.parametrize("size", [0, 1, 15])
def test_a_size_below_the_header_is_refused(client, size):
    refused(errno.EINVAL, client.call, vfio.GET_INFO, size=size)


@pytest.mark.parametrize("command", [0, 19, 0x7fff, 0xffff, vfio.DMA_READ, vfio.DMA_WRITE])
def test_an_unknown_command_is_refused(client, command):
    refused(errno.EINVAL, client.call, command, bytes(16))


@pytest.mark.parametrize("command", [vfio.DIRTY_PAGES, vfio.DEVICE_FEATURE, 17, 18])
def test_migration_is_not_supported(client, command):
    refused(errno.ENOTSUP, client.call, command, bytes(16))


@pytest.mark.parametrize("kind", [2, 7, 15])
def test_a_type_that_is_no_command_is_refused(client, kind):
    refused(errno.EINVAL, client.call, vfio.RESET, flags=kind)


def test_a_reply_is_not_answered(client):
    client.send(vfio.GET_INFO, bytes(16), flags=1)
    assert client.is_silent()


EXACT = [(vfio.DMA_MAP, 32), (vfio.DMA_UNMAP, 24), (vfio.GET_INFO, 16), (vfio.GET_REGION_INFO, 32),
         (vfio.GET_REGION_IO_FDS, 16), (vfio.GET_IRQ_INFO, 16), (vfio.SET_IRQS, 20), (vfio.REGION_READ, 16),
         (vfio.REGION_WRITE, 16), (vfio.RESET, 0), (vfio.WRITE_MULTI, 8)]


@pytest.mark.parametrize("command,size", EXACT)
def test_every_other_payload_size_is_refused(client, command, size):
    for wrong in {0, 1, size - 1, size + 1, size + 8, 4096} - {size, -1}:
        refused(errno.EINVAL, client.call, command, struct.pack("<I", 64).ljust(max(wrong, 4), b"\0")[:wrong])


@pytest.mark.parametrize("command,size", [entry for entry in EXACT if entry[0] in
                                          (vfio.DMA_MAP, vfio.DMA_UNMAP, vfio.GET_INFO, vfio.GET_REGION_INFO,
                                           vfio.GET_REGION_IO_FDS, vfio.GET_IRQ_INFO, vfio.SET_IRQS)])
def test_an_argsz_below_the_structure_is_refused(client, command, size):
    refused(errno.EINVAL, client.call, command, struct.pack("<I", size - 1).ljust(size, b"\0"))


def test_an_oversized_message_is_refused_and_skipped(client):
    payload = bytes((1 << 20) + 64)
    refused(errno.E2BIG, client.call, vfio.REGION_WRITE, payload)
    assert len(client.read(CONFIG, 0, PAGE)) == PAGE


def test_a_huge_size_costs_no_memory(server):
    client = Client(server.path)
    client.send(vfio.REGION_WRITE, b"", size=0xffffffff)
    with pytest.raises(Refused):
        client.reply(client.next_id, vfio.REGION_WRITE)
    client.socket.sendall(bytes(8 << 20))
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    assert peak < 128 << 10  # KiB


def test_a_message_cut_off_by_disconnection_ends_quietly(server):
    client = Client(server.path)
    client.send(vfio.REGION_WRITE, bytes(8), size=4096)
    client.socket.close()
    assert server.finish()[0] == 0


def test_an_interrupt_goes_to_an_eventfd_only(client):
    """Anything else could block the server (a full pipe) or kill it (a pipe that nobody reads)."""
    reader, writer = os.pipe()
    os.close(reader)
    for fd in (writer, client.socket.fileno(), memory(1)):
        refused(errno.EINVAL, client.set_irqs, 0x24, count=1, fds=[fd])
    eventfd = os.eventfd(0)
    refused(errno.EINVAL, client.set_irqs, 0x24, count=2, fds=[eventfd, writer])
    client.set_irqs(0x24, count=1, fds=[eventfd])


def test_a_full_eventfd_does_not_stop_the_server(client):
    eventfd = os.eventfd(0)
    os.eventfd_write(eventfd, 0xfffffffffffffffe)
    client.set_irqs(0x24, count=1, fds=[eventfd])
    client.set_irqs(0x21, count=1)
    assert os.eventfd_read(eventfd) == 0xfffffffffffffffe
    client.set_irqs(0x21, count=1)
    assert os.eventfd_read(eventfd) == 1


def test_accesses_outside_their_region_are_refused(client):
    for region, offset, count in [(BAR0, CONFIG_BYTES, 4), (BAR0, CONFIG_BYTES - 2, 4), (BAR0, (1 << 64) - 4, 4),
                                  (BAR0, (1 << 64) - 4, 8), (CONFIG, PAGE, 1), (CONFIG, 0, PAGE + 1), (1, 0, 4),
                                  (8, 0, 1), (9, 0, 4), (0xffffffff, 0, 4), (BAR2, 0, 0), (BAR2, 0, (1 << 20) + 1),
                                  (BAR2, 0, 0xffffffff)]:
        refused(errno.EINVAL, client.read, region, offset, count)
        header = struct.pack("<QII", offset, region, count)
        refused(errno.EINVAL, client.call, vfio.REGION_WRITE, header + bytes(min(count, 64)))


def test_a_write_whose_data_does_not_match_its_count_is_refused(client):
    header = struct.pack("<QII", 0, BAR2, 4)
    for data in (b"", bytes(3), bytes(5)):
        refused(errno.EINVAL, client.call, vfio.REGION_WRITE, header + data)


def test_a_wrong_multiple_write_changes_nothing(client):
    good = struct.pack("<QII", 0x3c, CONFIG, 1) + b"\x5a".ljust(8, b"\0")
    for bad in (struct.pack("<QII8x", 0x3c, CONFIG, 9), struct.pack("<QII8x", PAGE, CONFIG, 1),
                struct.pack("<QII8x", 0, 9, 1), struct.pack("<QII8x", 0, CONFIG, 0)):
        refused(errno.EINVAL, client.call, vfio.WRITE_MULTI, struct.pack("<Q", 2) + good + bad)
    for count in (0, 2, 1 << 60, (1 << 64) - 1):
        refused(errno.EINVAL, client.call, vfio.WRITE_MULTI, struct.pack("<Q", count) + good)
    assert client.read(CONFIG, 0x3c, 1) == b"\0"


def test_unknown_indices_are_refused(client):
    for index in (9, 100, 0xffffffff):
        refused(errno.EINVAL, client.region_info, index)
        refused(errno.EINVAL, client.irq_info, index)
        refused(errno.EINVAL, client.call, vfio.GET_REGION_IO_FDS, struct.pack("<IIII", 16, 0, index, 0))
        refused(errno.EINVAL, client.set_irqs, 0x21, index=index)


def test_wrong_memory_is_refused(client):
    fd = memory(4)
    top = 1 << 64
    for options in [{"address": 0, "size": 0}, {"address": 0, "size": 5 * PAGE}, {"address": 0, "size": 100},
                    {"address": 8, "size": PAGE}, {"address": 0, "size": PAGE, "offset": 4 * PAGE},
                    {"address": 0, "size": PAGE, "offset": top - PAGE}, {"address": 0, "size": PAGE, "offset": 1},
                    {"address": top - PAGE, "size": 2 * PAGE}, {"address": PAGE, "size": top - PAGE}]:
        refused(errno.EINVAL, client.dma_map, fds=[fd], **options)
    refused(errno.EINVAL, client.dma_map, 0, PAGE, fds=[fd, fd])
    read_end, write_end = os.pipe()
    refused(errno.EINVAL, client.dma_map, 0, PAGE, fds=[read_end])
    refused(errno.EINVAL, client.dma_map, 0, PAGE, fds=[client.socket.fileno()])
    for each in (fd, read_end, write_end):
        os.close(each)


def test_overlapping_memory_is_refused(client):
    fd = memory(16)
    client.dma_map(4 * PAGE, 4 * PAGE, fds=[fd])
    for first, pages in [(4, 4), (5, 1), (0, 16), (0, 5), (7, 2)]:
        refused(errno.EEXIST, client.dma_map, first * PAGE, pages * PAGE, fds=[fd])
    client.dma_map(0, 4 * PAGE, fds=[fd])
    client.dma_map(8 * PAGE, PAGE)
    client.dma_map((1 << 64) - PAGE, PAGE, fds=[fd])
    os.close(fd)


def test_only_exactly_what_was_mapped_can_be_unmapped(client):
    client.dma_map(4 * PAGE, 4 * PAGE)
    for first, pages in [(4, 3), (4, 5), (5, 1), (0, 4), (0, 0)]:
        refused(errno.ENOENT, client.dma_unmap, first * PAGE, pages * PAGE)
    refused(errno.EINVAL, client.dma_unmap, 4 * PAGE, 4 * PAGE, flags=2)
    client.dma_unmap(4 * PAGE, 4 * PAGE)
    refused(errno.ENOENT, client.dma_unmap, 4 * PAGE, 4 * PAGE)


def test_too_many_memories_are_refused(client):
    limit = 4096
    for index in range(limit):
        client.dma_map(index * PAGE, PAGE)
    refused(errno.ENOSPC, client.dma_map, limit * PAGE, PAGE)


def test_wrong_interrupt_settings_are_refused(client):
    none, boolean, eventfd, mask, trigger = 1, 2, 4, 8, 0x20
    fd = os.eventfd(0)
    for flags, options in [(0, {}), (none, {}), (trigger, {}), (none | boolean | trigger, {}), (none | mask | trigger, {}),
                           (none | trigger | 0x40, {}), (none | trigger, {"count": 33}),
                           (none | trigger, {"start": 32, "count": 1}), (none | trigger, {"start": 33}),
                           (none | trigger, {"start": 0xffffffff, "count": 2}), (none | trigger, {"start": 5}),
                           (boolean | trigger, {"count": 2, "data": b"\1"}), (none | trigger, {"count": 1, "data": b"\1"}),
                           (eventfd | trigger, {"count": 2, "fds": [fd]}), (eventfd | trigger, {"count": 0, "fds": [fd]}),
                           (none | trigger, {"count": 1, "fds": [fd]}), (eventfd | trigger, {"index": 0, "count": 1, "fds": [fd]}),
                           (eventfd | trigger, {"count": 17, "fds": [fd] * 17})]:
        refused(errno.EINVAL, client.set_irqs, flags, **options)
    refused(errno.ENOTSUP, client.set_irqs, none | mask, count=1)
    os.close(fd)


def test_file_descriptors_that_nobody_wants_are_closed(server, client):
    before = server.open_files()
    fd = os.eventfd(0)
    for count in (1, 16, 17, 200):
        refused(errno.EINVAL, client.call, vfio.GET_INFO, struct.pack("<IIII", 16, 0, 0, 0), fds=[fd] * count)
        refused(errno.EINVAL, client.dma_map, 0, PAGE, fds=[fd] * count)
        refused(errno.E2BIG, client.call, vfio.REGION_WRITE, bytes(2 << 20), fds=[fd] * count)
        client.send(vfio.GET_INFO, bytes(16), fds=[fd] * count, flags=1)
    client.irq_info(0)
    assert server.open_files() == before
    os.close(fd)


def test_random_bytes_do_no_harm(server):
    generator = random.Random(1)
    client = Client(server.path)
    fd = memory(1)
    for _ in range(3000):
        command = generator.choice([generator.randrange(24), generator.randrange(65536)])
        payload = generator.randbytes(generator.choice([0, 8, 16, 20, 24, 32, 40, generator.randrange(200)]))
        if generator.randrange(2):  # small numbers get further
            payload = bytes(byte & generator.choice([0, 1, 3, 0xff]) for byte in payload)
        client.send(command, payload, fds=[fd] * generator.choice([0, 0, 1, 2]), flags=NO_REPLY)
    assert client.read32(CONFIG, 0) == 0xa77f8086
    assert server.open_files() < 64
    assert len(server.errors.read_text(encoding="utf-8").splitlines()) < 100, "the log must not be flooded"


def test_a_client_that_reads_no_replies_is_given_up(server):
    client = Client(server.path)
    client.socket.setblocking(False)
    request = vfio.HEADER.pack(1, vfio.REGION_READ, 32, 0, 0) + struct.pack("<QII", 0, CONFIG, PAGE)
    with pytest.raises((BlockingIOError, BrokenPipeError, ConnectionResetError)):
        while True:
            client.socket.send(request * 64)
    assert server.finish()[0] == 0


# What a good client sees.

def test_the_server_tells_its_limits(server):
    client = Client(server.path, negotiate=False)
    capabilities = client.version(minor=7)["capabilities"]
    assert capabilities == {"max_msg_fds": 16, "max_data_xfer_size": 1 << 20, "max_dma_maps": 4096, "pgsizes": PAGE,
                            "write_multiple": True}


def test_the_device_is_a_volume_management_device(client):
    assert struct.unpack("<IIII", client.call(vfio.GET_INFO, struct.pack("<IIII", 16, 0, 0, 0))) == (16, 3, 9, 5)
    sizes = {index: client.region_info(index)[4] for index in range(9)}
    assert sizes == {0: CONFIG_BYTES, 1: 0, 2: 64 << 20, 3: 0, 4: 1 << 30, 5: 0, 6: 0, 7: PAGE, 8: 0}
    assert client.region_info(CONFIG) == (32, 3, CONFIG, 0, PAGE, 0)
    assert [client.irq_info(index)[3] for index in range(5)] == [0, 0, 32, 1, 1]
    config = client.read(CONFIG, 0, 256)
    assert config[:4] == bytes.fromhex("86807fa7") and config[9:12] == bytes([0, 4, 1])
    assert config[0x40:0x48] == bytes(8), "no bus restrictions, interrupts remapped"
    for offset, mask in [(0x10, 0xfe00000c), (0x14, 0xffffffff), (0x18, 0xfc000000), (0x1c, 0), (0x20, 0xc000000c)]:
        client.write32(CONFIG, offset, 0xffffffff)
        assert client.read32(CONFIG, offset) == mask


def test_region_io_fds_are_none(client):
    assert struct.unpack("<IIII", client.call(vfio.GET_REGION_IO_FDS, struct.pack("<IIII", 16, 0, 0, 0))) == (16, 0, 0, 0)


def enumerate_card(client):
    """What the guest's firmware and driver do: VMD BARs, bus numbers, windows, card BARs, enables."""
    for offset, value in [(0x10, 0), (0x14, 0x50), (0x18, BAR2_ADDRESS), (0x20, BAR4_ADDRESS & 0xffffffff),
                          (0x24, BAR4_ADDRESS >> 32), (0x04, 6)]:
        client.write32(CONFIG, offset, value)
    client.write32(BAR0, PORT + 0x18, 0x010100)
    for offset, value in [(0x20, 0xe000e000), (0x24, 0x1ff11001), (0x28, 0x40), (0x2c, 0x40), (0x04, 6)]:
        client.write32(BAR0, PORT + offset, value)
    for offset, value in [(0x10, CARD_BAR0), (0x14, 0), (0x18, CARD_BAR2 & 0xffffffff), (0x1c, CARD_BAR2 >> 32),
                          (0x04, 6)]:
        client.write32(BAR0, CARD + offset, value)


def test_the_card_is_behind_a_root_port(client):
    assert client.read32(BAR0, CARD) == 0xffffffff
    enumerate_card(client)
    assert client.read32(BAR0, PORT) == 0x10001eff
    assert client.read32(BAR0, CARD) == 0x12201eff
    assert client.read32(BAR0, 1 << 15) == 0xffffffff
    assert client.read(BAR0, CARD, 64)[:2] == b"\xff\x1e"
    assert client.read32(BAR2, 0) == 0x4e505531
    client.write(BAR4, (256 << 20) + 8, b"abcdefgh")
    assert client.read(BAR4, (256 << 20) + 8, 8) == b"abcdefgh"
    assert client.read32(BAR4, 0) == 0, "the VMD's own MSI-X table"
    assert client.read32(BAR4, 1 << 29) == 0xffffffff
    assert len(client.read(BAR4, (1 << 30) - (1 << 20), 1 << 20)) == 1 << 20


def test_posted_writes_keep_their_order(client):
    enumerate_card(client)
    for value in range(1000):
        client.write32(BAR2, 0x200 + value % 4 * 4, value)
    assert [client.read32(BAR2, 0x200 + 4 * index) for index in range(4)] == [996, 997, 998, 999]
    entries = b"".join(struct.pack("<QII", 0x200 + 4 * (index % 2), BAR2, 4) + struct.pack("<I4x", index)
                       for index in range(40))
    assert client.call(vfio.WRITE_MULTI, struct.pack("<Q", 40) + entries) == struct.pack("<Q", 40)
    assert client.read(BAR2, 0x200, 8) == struct.pack("<II", 38, 39)


def test_messages_may_come_in_pieces_and_together(client):
    enumerate_card(client)
    request = vfio.HEADER.pack(7, vfio.REGION_READ, 32, 0, 0) + struct.pack("<QII", 0, BAR2, 4)
    for byte in request:
        client.send_raw(bytes([byte]))
    assert client.reply(7, vfio.REGION_READ)[16:] == struct.pack("<I", 0x4e505531)
    client.send_raw(request * 200)
    for _ in range(200):
        assert client.reply(7, vfio.REGION_READ)[16:] == struct.pack("<I", 0x4e505531)


def test_file_descriptors_belong_to_the_message_that_they_were_sent_with(client):
    fds = [memory(1), memory(1)]
    for fd, text in zip(fds, (b"first", b"other")):
        os.pwrite(fd, text, 0)
    read_config = vfio.HEADER.pack(1, vfio.REGION_READ, 32, 0, 0) + struct.pack("<QII", 0, CONFIG, 4)
    for index, fd in enumerate(fds):
        client.send_raw(read_config * 3)
        client.send(vfio.DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, index * PAGE, PAGE), fds=[fd])
    for index in range(2):
        for _ in range(3):
            client.reply(1, vfio.REGION_READ)
        client.reply(client.next_id - 1 + index, vfio.DMA_MAP)
    enumerate_card(client)
    copy(client, 0, PAGE + 64, 5)
    client.read32(BAR2, 0)
    assert os.pread(fds[1], 5, 64) == bytes(255 - byte for byte in b"first")
    for fd in fds:
        os.close(fd)


def copy(client, source, destination, count):
    """Has the card copy guest memory, inverted."""
    client.write(BAR2, 0x108, struct.pack("<QQ", source, destination), NO_REPLY)
    client.write32(BAR2, 0x118, count)
    client.write32(BAR2, 0x100, 1)


def set_vector(client, vector, vmd_vector):
    """MSI-X of the card as the vmd driver programs it."""
    entry = 0x8000 + 16 * vector
    for offset, value in [(0, 0xfee00000 | vmd_vector << 12), (4, 0), (8, 0), (12, 0)]:
        client.write32(BAR2, entry + offset, value)
    client.write(BAR0, CARD + 0x92, struct.pack("<H", 0x8000), NO_REPLY)


def wait_for(eventfd):
    assert select.select([eventfd], [], [], vfio.TIMEOUT_SECONDS)[0], "no interrupt"
    return os.eventfd_read(eventfd)


def test_dma_goes_to_guest_memory_and_ends_with_an_interrupt(client):
    enumerate_card(client)
    ram = memory(4)
    data = bytes(range(256)) * 16
    os.pwrite(ram, data, 0)
    # Two adjacent regions; the copy goes across their border.
    client.dma_map(0x100000, 2 * PAGE, fds=[ram])
    client.dma_map(0x100000 + 2 * PAGE, 2 * PAGE, offset=2 * PAGE, fds=[ram])
    event = os.eventfd(0)
    client.set_irqs(0x24, start=1, count=1, fds=[event])
    set_vector(client, 0, 1)
    copy(client, 0x100000, 0x100000 + PAGE + 0x800, PAGE)
    assert wait_for(event) == 1
    assert os.pread(ram, PAGE, PAGE + 0x800) == bytes(255 - byte for byte in data)

    client.dma_unmap(0x100000, 2 * PAGE)
    copy(client, 0x100000, 0x100000 + 2 * PAGE, 64)
    client.read32(BAR2, 0)
    assert not select.select([event], [], [], 0.2)[0], "unmapped memory cannot be read"
    os.close(ram)
    os.close(event)


def test_read_only_memory_is_not_written(client):
    enumerate_card(client)
    ram = memory(2)
    client.dma_map(0, PAGE, flags=1, fds=[ram])
    client.dma_map(PAGE, PAGE, offset=PAGE, flags=3, fds=[ram])
    copy(client, PAGE, 0, 16)
    client.read32(BAR2, 0)
    assert os.pread(ram, 16, 0) == bytes(16)
    copy(client, 0, PAGE, 16)
    client.read32(BAR2, 0)
    assert os.pread(ram, 16, PAGE) == b"\xff" * 16
    os.close(ram)


def test_interrupts_follow_their_eventfds(client):
    enumerate_card(client)
    events = [os.eventfd(0) for _ in range(3)]
    client.set_irqs(0x24, start=2, count=3, fds=events)
    for vector in range(3):
        set_vector(client, vector, vector + 2)
    for vector in (2, 0, 1):
        client.write32(BAR2, 0x100, 2 + vector)
        wait_for(events[vector])
    client.set_irqs(0x22, start=2, count=3, data=b"\0\1\0")
    assert wait_for(events[1]) == 1
    client.set_irqs(0x24, start=3, count=1)  # takes one back
    client.write32(BAR2, 0x100, 2 + 1)
    client.write32(BAR2, 0x100, 2 + 2)
    wait_for(events[2])
    client.set_irqs(0x21)  # and all others
    client.write32(BAR2, 0x100, 2)
    client.read32(BAR2, 0)
    assert not select.select(events, [], [], 0.2)[0]
    for event in events:
        os.close(event)


def test_reset_resets_the_whole_domain(client):
    enumerate_card(client)
    client.write32(BAR2, 0x40, 0x55)
    client.call(vfio.RESET)
    assert client.read32(CONFIG, 0x04) & 0x7 == 0
    assert client.read32(BAR0, CARD) == 0xffffffff
    enumerate_card(client)
    assert client.read32(BAR2, 0x40) == 0


def test_an_idle_board_costs_no_cpu(server, client):
    enumerate_card(client)
    client.read32(BAR2, 0)
    before = server.cpu_seconds()
    time.sleep(1)
    assert server.cpu_seconds() - before < 0.1


def test_the_server_ends_with_its_client_and_frees_what_it_was_given(server):
    client = Client(server.path)
    ram = memory(1)
    client.dma_map(0, PAGE, fds=[ram])
    client.socket.close()
    status, output = server.finish()
    assert status == 0 and "simulated" in output
    assert not os.path.exists(server.path)
    os.close(ram)
