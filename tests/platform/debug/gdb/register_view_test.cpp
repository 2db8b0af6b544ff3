// SPDX-License-Identifier: Apache-2.0
// Values and fields by hand from the blocks' registers.yaml.
#include "platform/debug/gdb/register_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/debug/gdb/card_debugger.h"
#include "tests/platform/test_server.h"

namespace npuvp::debug::gdb {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using tests::TestServer;

TEST(GdbRegisterView, ShowsTheCardsBlocksByName) {
  const TestServer run("server-4", [](TestServer& server) {
    const RegisterView view(server.environment, server.server.card(1).name());
    const std::string list = view.list();
    for (const char* name : {"external_hdma\n", "task_dma\n", "system_controller\n", "mailbox.host\n"}) {
      EXPECT_THAT(list, HasSubstr(name));
    }
    EXPECT_THAT(list, Not(HasSubstr("server")));
    // The strap that tells cards apart.
    EXPECT_THAT(view.show("system_controller"), testing::ContainsRegex("CARD +0x00000001"));
    EXPECT_THAT(view.show("mailbox.host"), HasSubstr("0x3055504e"));
    EXPECT_THAT(view.show("mailbox"), testing::AllOf(HasSubstr("mailbox.card\n"), HasSubstr("mailbox.host\n")));
    EXPECT_THAT(view.show("dma0"), StartsWith("external_hdma\n"));
    EXPECT_THAT(view.show("dma2"), StartsWith("task_dma\n"));
    EXPECT_THAT(view.show("ne3"), StartsWith("ne_3\n"));
    for (const char* name : {"", "0", "nothing", "dma99", "dma99999999999999", "mail"}) {
      EXPECT_THAT(view.show(name), HasSubstr("'monitor regs' lists them")) << name;
    }
  });
}

TEST(GdbCardDebugger, AnswersItsCommands) {
  const TestServer run("server-1", [](TestServer& server) {
    const host::EventLoop loop{[](int, const std::function<void()>&) {}, [](int) {}};
    CardDebugger debugger(server.environment, server.server.card(0), {"0", true}, loop);
    EXPECT_TRUE(debugger.holds_card());
    EXPECT_THAT(debugger.monitor("help"), HasSubstr("regs [BLOCK]"));
    EXPECT_THAT(debugger.monitor("  regs   dma0 \n"), StartsWith("external_hdma\n"));
    EXPECT_THAT(debugger.monitor("regs"), HasSubstr("uart\n"));
    EXPECT_THAT(debugger.monitor("halt"), HasSubstr("halted"));
    EXPECT_THAT(debugger.monitor("time"), HasSubstr("hart 0 "));
    EXPECT_THAT(debugger.monitor(""), HasSubstr("monitor help"));
    EXPECT_THAT(debugger.monitor(std::string(1000, 'x')), testing::SizeIs(testing::Lt(100U)));
    auto& hart = server.server.card(0).harts().hart(0);
    hart.set_pc(0x100);
    hart.set_x(5, 77);
    EXPECT_THAT(debugger.monitor("reset"), HasSubstr("reset"));
    EXPECT_EQ(hart.pc(), 0U);
    EXPECT_EQ(hart.x(5), 0U);
    EXPECT_TRUE(debugger.holds_card());
  });
}

}  // namespace
}  // namespace npuvp::debug::gdb
