// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/host/inproc/inproc_device.h"
#include "tests/platform/assembly/context_client.h"
#include "tests/platform/test_server.h"

namespace npuvp::tests {

/// A card that runs its firmware, with clients of its physical function.
struct ClientCard {
  explicit ClientCard(TestServer& test_server) : server(test_server), host(test_server.host) {
    const std::string image = TestServer::firmware();
    {
      const host::InprocDevice device(host, server.functions.front(),
                                      {reinterpret_cast<const uint8_t*>(image.data()), image.size()});
    }
    physical = std::make_unique<RawFunction>(host, server.functions.front());
    share = physical->share();
    faults = std::make_unique<FaultReader>(host, *physical);
  }

  static constexpr uint64_t kClientBytes = 4 * NPU_HOST_PAGE_BYTES;

  assembly::Card& card() { return server.server.card(0); }

  ContextClient& add(const ContextClient::Rights& rights = {}) {
    const auto number = static_cast<uint32_t>(clients.size());
    const npu_segment dram{share.base + number * kClientBytes, kClientBytes, NPU_SEGMENT_DEVICE, NPU_SEGMENT_WRITABLE,
                           0};
    auto& client = *clients.emplace_back(std::make_unique<ContextClient>(host, *physical, 100 + number, number, dram));
    EXPECT_EQ(client.create(rights), uint32_t{NPU_MAILBOX_OK});
    return client;
  }
  /// Makes the word uncorrectable that a client's jobs with kDoubleError read: two flipped bits, which SECDED detects.
  void spoil(size_t client) {
    const uint64_t offset = share.base - NPU_MAP_DRAM + client * kClientBytes + ContextClient::kBadOffset;
    card().dram().inject_error(offset, 3);
    card().dram().inject_error(offset, 60);
  }

  TestServer& server;
  host::InprocHost& host;
  std::unique_ptr<RawFunction> physical;
  npu_segment share{};
  std::unique_ptr<FaultReader> faults;
  std::vector<std::unique_ptr<ContextClient>> clients;
};

/// Runs `body` on it; no block may have been misused in the end.
inline void on_client_card(const std::function<void(ClientCard&)>& body) {
  TestServer server("server-1", [&body](TestServer& self) {
    ClientCard card(self);
    body(card);
  });
  EXPECT_EQ(server.environment.diagnostics().misuse_count(), 0U);
}

}  // namespace npuvp::tests
