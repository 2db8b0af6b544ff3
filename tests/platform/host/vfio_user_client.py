# SPDX-License-Identifier: Apache-2.0
"""A vfio-user client that sends whatever it is told to, right or wrong, written from the protocol's specification."""

import array
import errno
import json
import os
import select
import socket
import struct
import subprocess

HEADER = struct.Struct("<HHIII")
NO_REPLY = 0x10
ERROR = 0x20

VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO, GET_REGION_IO_FDS = 1, 2, 3, 4, 5, 6
GET_IRQ_INFO, SET_IRQS, REGION_READ, REGION_WRITE = 7, 8, 9, 10
DMA_READ, DMA_WRITE, RESET, DIRTY_PAGES, WRITE_MULTI, DEVICE_FEATURE = 11, 12, 13, 14, 15, 16

BAR0, BAR2, BAR4, CONFIG, MSIX = 0, 2, 4, 7, 2
TIMEOUT_SECONDS = 10


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, number):
        super().__init__(errno.errorcode.get(number, str(number)))
        self.errno = number


class Client:
    def __init__(self, path, negotiate=True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT_SECONDS)
        self.socket.connect(path)
        self.next_id = 1
        if negotiate:
            self.version()

    def send(self, command, payload=b"", fds=(), size=None, flags=0):
        """Sends one message, its header's size as told; returns its id."""
        identifier = self.next_id = self.next_id % 0xffff + 1
        size = HEADER.size + len(payload) if size is None else size
        self.send_raw(HEADER.pack(identifier, command, size, flags, 0) + payload, fds)
        return identifier

    def send_raw(self, data, fds=()):
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        sent = self.socket.sendmsg([data], ancillary)
        if sent < len(data):
            self.socket.sendall(data[sent:])

    def receive(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise EOFError("the server has closed the connection")
            data += part
        return data

    def reply(self, identifier, command):
        got, got_command, size, flags, error = HEADER.unpack(self.receive(HEADER.size))
        payload = self.receive(size - HEADER.size)
        assert (got, got_command, flags & 0xf) == (identifier, command, 1)
        if flags & ERROR:
            assert payload == b"", "an error reply has no payload"
            raise Refused(error)
        assert error == 0
        return payload

    def call(self, command, payload=b"", fds=(), size=None, flags=0):
        return self.reply(self.send(command, payload, fds, size, flags), command)

    def is_silent(self):
        return not select.select([self.socket], [], [], 0.2)[0]

    def version(self, major=0, minor=0, data=b'{"capabilities":{"max_msg_fds":8}}\0'):
        payload = self.call(VERSION, struct.pack("<HH", major, minor) + data)
        assert struct.unpack_from("<HH", payload) == (0, 0)
        assert payload[-1:] == b"\0"
        return json.loads(payload[4:-1])

    def dma_map(self, address, size, offset=0, flags=3, fds=(), argsz=32):
        return self.call(DMA_MAP, struct.pack("<IIQQQ", argsz, flags, offset, address, size), fds)

    def dma_unmap(self, address, size, flags=0):
        return self.call(DMA_UNMAP, struct.pack("<IIQQ", 24, flags, address, size))

    def region_info(self, index, argsz=32):
        return struct.unpack("<IIIIQQ", self.call(GET_REGION_INFO, struct.pack("<IIIIQQ", argsz, 0, index, 0, 0, 0)))

    def irq_info(self, index):
        return struct.unpack("<IIII", self.call(GET_IRQ_INFO, struct.pack("<IIII", 16, 0, index, 0)))

    def set_irqs(self, flags, index=MSIX, start=0, count=0, data=b"", fds=()):
        return self.call(SET_IRQS, struct.pack("<IIIII", 20 + len(data), flags, index, start, count) + data, fds)

    def read(self, region, offset, count):
        payload = self.call(REGION_READ, struct.pack("<QII", offset, region, count))
        assert struct.unpack_from("<QII", payload) == (offset, region, count)
        assert len(payload) == 16 + count
        return payload[16:]

    def write(self, region, offset, data, flags=0):
        payload = struct.pack("<QII", offset, region, len(data)) + data
        if flags & NO_REPLY:
            self.send(REGION_WRITE, payload, flags=flags)
        else:
            assert self.call(REGION_WRITE, payload) == payload[:16]

    def read32(self, region, offset):
        return struct.unpack("<I", self.read(region, offset, 4))[0]

    def write32(self, region, offset, value, flags=NO_REPLY):
        self.write(region, offset, struct.pack("<I", value), flags)


class Server:
    """The server under test in a process of its own."""

    def __init__(self, executable, directory, *arguments):
        self.path = str(directory / "socket")
        # Errors into a file: nobody empties a pipe while a test runs.
        self.errors = directory / "errors"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen([executable, self.path, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=errors, text=True)
        while (line := self.process.stdout.readline()) != "listening\n":
            assert line, self.errors.read_text(encoding="utf-8")

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def finish(self):
        """Exit status and what the server printed, once its client has gone."""
        output, _ = self.process.communicate(timeout=TIMEOUT_SECONDS)
        return self.process.returncode, output

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
