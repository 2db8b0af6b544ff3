// SPDX-License-Identifier: Apache-2.0
// Fuzz target: the vfio-user socket. Input: a list of Records, the steps of one client's connection.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/vfio_user_fabric.h"
#include "tests/fuzz/vfio_user_session.h"

using npuvp::fuzz::FuzzFabric;
using npuvp::fuzz::Record;
using npuvp::fuzz::Session;

/// Takes the place of poll() in Transport::send() (linker option --wrap): client and server share a thread, so the
/// client must read while the server waits for room in the socket.
extern "C" int __wrap_poll(pollfd* /*fds*/, nfds_t /*count*/, int /*timeout_ms*/);
extern "C" int __wrap_poll(pollfd* /*fds*/, nfds_t /*count*/, int /*timeout_ms*/) {
  return Session::poll_while_sending();
}

namespace {

std::vector<Record> records_of(const uint8_t* data, size_t size) {
  std::vector<Record> records(size / sizeof(Record));
  if (!records.empty()) std::memcpy(records.data(), data, records.size() * sizeof(Record));
  return records;
}

/// The lowest number that is free for a descriptor.
int free_descriptor() {
  const int fd = ::dup(STDIN_FILENO);
  ::close(fd);
  return fd;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static bool is_fresh = true;
  auto& fabric = FuzzFabric::instance();
  const auto records = records_of(data, size);
  fabric.run([&] {
    if (std::exchange(is_fresh, false)) fabric.reset();
    const int free_before = free_descriptor();
    {
      Session session([&](npuvp::host::UniqueFd socket) { return fabric.make_server(std::move(socket)); });
      session.play(records);
      session.probe();
    }
    if (free_descriptor() != free_before) npuvp::fuzz::report_finding("a file descriptor has not been closed");
    fabric.reset();
  });
  return 0;
}

#ifdef NPUVP_FUZZ
/// The leak detector does not find its roots on the stacks of SystemC's coroutines. What a session may leak is seen by
/// the count of descriptors and by libFuzzer's limit of memory. A small quarantine: fresh pages cost more than the
/// rest.
extern "C" const char* __asan_default_options();
const char* __asan_default_options() {
  return "detect_leaks=0:quarantine_size_mb=16";
}

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed);
extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* one, size_t one_size, const uint8_t* other,
                                            size_t other_size, uint8_t* out, size_t max_size, unsigned seed);

namespace {

size_t store(const std::vector<Record>& records, uint8_t* data, size_t max_size) {
  const size_t bytes = std::min(records.size() * sizeof(Record), max_size / sizeof(Record) * sizeof(Record));
  if (bytes > 0) std::memcpy(data, records.data(), bytes);
  return bytes;
}

}  // namespace

/// Steps are inserted, removed, repeated, swapped and changed, but never shifted by bytes.
size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  const auto below = [&](size_t limit) { return static_cast<size_t>(random() % limit); };
  auto records = records_of(data, size);
  const auto at = [&](size_t index) { return records.begin() + static_cast<ptrdiff_t>(index); };
  const auto fresh = [&] {
    Record record{};
    record.action = static_cast<uint8_t>(random());
    if (below(4) == 0) record.twist = static_cast<uint8_t>(random());
    if (below(4) == 0) record.fds = static_cast<uint8_t>(random());
    record.select = static_cast<uint8_t>(random());
    record.a = below(2) == 0 ? static_cast<uint32_t>(below(256)) : static_cast<uint32_t>(random());
    record.b = below(2) == 0 ? below(65536) : uint64_t{random()} << 32 | random();
    return record;
  };
  switch (records.empty() ? 0 : below(12)) {
    case 0:
      records.insert(at(below(records.size() + 1)), fresh());
      break;
    case 1:
      records.erase(at(below(records.size())));
      break;
    case 2: {
      const Record copy = records[below(records.size())];
      records.insert(at(below(records.size() + 1)), copy);
      break;
    }
    case 3:
      std::swap(records[below(records.size())], records[below(records.size())]);
      break;
    case 4:
      records[below(records.size())].twist = static_cast<uint8_t>(random());
      break;
    case 5:
      records[below(records.size())].fds = static_cast<uint8_t>(random());
      break;
    case 6:
      records[below(records.size())].select = static_cast<uint8_t>(random());
      break;
    default: {
      auto* bytes = reinterpret_cast<uint8_t*>(&records[below(records.size())]);
      LLVMFuzzerMutate(bytes, sizeof(Record), sizeof(Record));
    }
  }
  return store(records, data, max_size);
}

/// The beginning of one session and the end of another.
size_t LLVMFuzzerCustomCrossOver(const uint8_t* one, size_t one_size, const uint8_t* other, size_t other_size,
                                 uint8_t* out, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  auto records = records_of(one, one_size);
  const auto more = records_of(other, other_size);
  records.resize(random() % (records.size() + 1));
  const auto from = static_cast<ptrdiff_t>(random() % (more.size() + 1));
  records.insert(records.end(), more.begin() + from, more.end());
  return store(records, out, max_size);
}
#endif
