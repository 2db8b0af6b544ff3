// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/host/inproc/inproc_device.h"
#include "tests/platform/test_server.h"

namespace npuvp::debug {
namespace {

using testing::HasSubstr;
using tests::TestServer;

/// Correctable and uncorrectable error status of AER, PCI Express Base Specification 7.8.4.
uint32_t aer(host::InprocHost& host, uint16_t bdf, unsigned offset) {
  return host.config_read(bdf, static_cast<uint16_t>(host.find_extended_capability(bdf, 0x0001) + offset), 4);
}

std::string error(Monitor& monitor, const std::string& line) {
  const auto json = monitor.execute(line);
  return json.contains("error") ? json["error"].get<std::string>() : "";
}

TEST(Monitor, TopologyIsTheTreeWithBusNumbersAndLinks) {
  TestServer run("server-16", [](TestServer& self) {
    Monitor monitor(self.server.fabric());
    const auto json = monitor.execute("topology");
    ASSERT_EQ(json["root_ports"].size(), 2U);
    const auto& chip = json["root_ports"][1]["below"];
    EXPECT_EQ(chip["name"], "switch2");
    EXPECT_EQ(chip["bdf"], "0d:00.0");
    ASSERT_EQ(chip["ports"].size(), 5U);
    const auto& slot = chip["ports"][4]["below"]["ports"][3];
    EXPECT_EQ(slot["name"], "switch3.port3");
    EXPECT_EQ(slot["bdf"], "14:03.0");
    EXPECT_EQ(slot["link"]["state"], "up");
    EXPECT_EQ(slot["link"]["generation"], 5);
    EXPECT_EQ(slot["link"]["lanes"], 16);
    EXPECT_EQ(slot["slot"], 16);
    EXPECT_EQ(slot["present"], true);
    EXPECT_EQ(slot["below"]["name"], "card15");
    EXPECT_EQ(slot["below"]["bdf"], "18:00.0");
  });
}

TEST(Monitor, CountersCountWhatPassed) {
  TestServer run("server-4", [](TestServer& self) {
    Monitor monitor(self.server.fabric());
    const auto tlps = [&](const char* name, const char* way) {
      return monitor.execute(std::string("counters ") + name)["links"][0][way]["tlps"].get<uint64_t>();
    };
    const auto before = tlps("card2", "downstream");
    const auto answers = tlps("switch0.port2", "upstream");
    const auto other = tlps("card1", "downstream");
    for (int each = 0; each < 10; ++each) (void)self.host.mmio_read32(self.functions[2].bars[0]);
    EXPECT_EQ(tlps("card2", "downstream"), before + 10);
    EXPECT_EQ(tlps("switch0.port2", "upstream"), answers + 10);
    EXPECT_EQ(tlps("card1", "downstream"), other);
    const auto all = monitor.execute("counters");
    EXPECT_EQ(all["links"].size(), 5U);
    EXPECT_EQ(all["switches"][0]["direct_requests"], 0);
    EXPECT_EQ(all["root_complex"]["refused_requests"], 0);
    EXPECT_FALSE(monitor.execute("counters switch0").contains("links"));
  });
}

// Booting: the External HDMA reads the image from the host and writes it to the TCM.
TEST(Monitor, ShowsTheTrafficOnACard) {
  TestServer run("server-1", [](TestServer& self) {
    Monitor monitor(self.server.fabric(), &self.server);
    const auto moved = [&](const char* target, const char* way) {
      const auto json = monitor.execute("noc card0");  // outlives the loop over a part of it
      for (const auto& flow : json["flows"]) {
        if (flow["initiator"] == "external_hdma" && flow["target"] == target) return flow[way].get<uint64_t>();
      }
      return uint64_t{0};
    };
    EXPECT_EQ(moved("host", "bytes_read"), 0U);
    const std::string image = TestServer::firmware();
    const host::InprocDevice device(self.host, self.functions[0],
                                    {reinterpret_cast<const uint8_t*>(image.data()), image.size()});
    EXPECT_GE(moved("host", "bytes_read"), image.size());
    EXPECT_GE(moved("tcm", "bytes_written"), image.size() - 4096);
    EXPECT_EQ(moved("shared_memory", "bursts"), 0U);
    EXPECT_THAT(error(monitor, "noc card1"), HasSubstr("no card 'card1'; there are card0 to card0"));
  });
}

TEST(Monitor, InjectsFaultsWhereTheyAreSeen) {
  TestServer run("server-4", [](TestServer& self) {
    Monitor monitor(self.server.fabric());
    const uint16_t card = self.functions[3].bdf;
    EXPECT_EQ(aer(self.host, card, 0x10), 0U);
    EXPECT_EQ(monitor.execute("inject card3 lcrc 2").dump(), R"({"port":"card3","injected":"lcrc","count":2})");
    EXPECT_EQ(self.host.mmio_read32(self.functions[3].bars[0]), 0x3055504eU);  // replayed, not lost
    EXPECT_EQ(aer(self.host, card, 0x10) & 0x40, 0x40U);                       // Bad TLP
    EXPECT_EQ(monitor.execute("counters card3")["links"][0]["downstream"]["replays"], 2);

    (void)monitor.execute("inject card3 unsupported-request");
    EXPECT_EQ(self.host.mmio_read32(self.functions[3].bars[0]), 0xffff'ffffU);
    // The reader is told by the completion: an advisory non-fatal error (6.2.3.2.4), masked after reset.
    EXPECT_EQ(aer(self.host, card, 0x10) & 0x2000, 0x2000U);
    EXPECT_EQ(self.host.mmio_read32(self.functions[3].bars[0]), 0x3055504eU);
  });
}

TEST(Monitor, CardsLeaveTheirSlotsAndComeBack) {
  TestServer run("server-4", [](TestServer& self) {
    Monitor monitor(self.server.fabric());
    EXPECT_EQ(monitor.execute("unplug card1").dump(), R"({"name":"card1","slot":2,"present":false})");
    EXPECT_EQ(self.host.config_read(self.functions[1].bdf, 0, 4), 0xffff'ffffU);
    EXPECT_EQ(monitor.execute("topology")["root_ports"][0]["below"]["ports"][1]["present"], false);
    EXPECT_EQ(monitor.execute("topology")["root_ports"][0]["below"]["ports"][1]["link"]["state"], "down");
    EXPECT_THAT(error(monitor, "unplug card1"), HasSubstr("unplug: 'card1' is out of its slot already"));
    EXPECT_EQ(monitor.execute("plug card1")["present"], true);
    EXPECT_EQ(monitor.execute("topology")["root_ports"][0]["below"]["ports"][1]["link"]["state"], "training");
    sc_core::wait(2, sc_core::SC_MS);
    EXPECT_EQ(self.host.config_read(self.functions[1].bdf, 0, 4), 0x1220'1effU);
  });
}

TEST(Monitor, ACardWithASwitchIsOneThing) {
  TestServer run("server-1-max", [](TestServer& self) {
    Monitor monitor(self.server.fabric());
    EXPECT_THAT(error(monitor, "unplug card2"), HasSubstr("'card2' is fixed below switch0; unplug that"));
    EXPECT_EQ(monitor.execute("unplug switch0")["present"], false);
    for (const auto& function : self.functions) {
      EXPECT_EQ(self.host.config_read(function.bdf, 0, 4), 0xffff'ffffU);
    }
  });
}

TEST(Monitor, ErrorsNameTheThingTheValueAndTheRemedy) {
  TestServer run("server-1", [](TestServer& self) {
    Monitor monitor(self.server.fabric());
    EXPECT_THAT(error(monitor, ""), HasSubstr("empty line"));
    EXPECT_THAT(error(monitor, "jump"), HasSubstr("no command 'jump'; 'help' lists them"));
    EXPECT_THAT(error(monitor, "inject card0"), HasSubstr("usage: inject PORT FAULT [COUNT]"));
    EXPECT_THAT(error(monitor, "inject card1 lcrc"), HasSubstr("no port 'card1'; known: root_port0, card0"));
    EXPECT_THAT(error(monitor, "inject card0 flood"), HasSubstr("no fault 'flood'; known: lcrc, bad-tlp"));
    for (const char* count : {"0", "1001", "-1", "1x", "99999999999999999999"}) {
      EXPECT_THAT(error(monitor, std::string("inject card0 lcrc ") + count), HasSubstr("COUNT")) << count;
    }
    EXPECT_THAT(error(monitor, "unplug card0"), HasSubstr("not in a hot-pluggable slot; use a board with"));
    EXPECT_THAT(error(monitor, "plug card7"), HasSubstr("no card 'card7'"));
    EXPECT_THAT(error(monitor, "counters nothing"), HasSubstr("known: root_complex, root_port0, card0"));
    EXPECT_LT(error(monitor, std::string(4000, 'x')).size(), 200U);
    EXPECT_EQ(monitor.execute("help")["commands"].size(), 8U);
    EXPECT_GT(monitor.execute("  time \t\r")["simulated_ps"].get<uint64_t>(), 0U);
  });
}

}  // namespace
}  // namespace npuvp::debug
