// SPDX-License-Identifier: Apache-2.0
#include "platform/host/qemu/qemu_arguments.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "platform/config/config_error.h"

namespace npuvp::host {
namespace {

TEST(QemuArguments, MemoryIsASharedFile) {
  EXPECT_EQ(machine_arguments(512),
            (std::vector<std::string>{"-machine", "q35,memory-backend=ram", "-m", "512M", "-object",
                                      "memory-backend-memfd,id=ram,size=512M,share=on"}));
}

TEST(QemuArguments, EachEndpointHasARootPort) {
  const auto words = endpoint_arguments(std::vector<std::string>(9, "/s"));
  ASSERT_EQ(words.size(), 9U * 4);
  const auto port = [&](size_t card) { return words.at(card * 4 + 1); };
  EXPECT_TRUE(port(0).starts_with("pcie-root-port,id=npu-root0,chassis=1,multifunction=on,addr=0x10.0,")) << port(0);
  EXPECT_TRUE(port(7).starts_with("pcie-root-port,id=npu-root7,chassis=8,multifunction=on,addr=0x10.7,")) << port(7);
  EXPECT_TRUE(port(8).starts_with("pcie-root-port,id=npu-root8,chassis=9,multifunction=on,addr=0x11.0,")) << port(8);
  const auto device = nlohmann::json::parse(words.at(8 * 4 + 3));
  EXPECT_EQ(device.at("driver"), "vfio-user-pci");
  EXPECT_EQ(device.at("bus"), "npu-root8");
}

TEST(QemuArguments, APathMayHaveAnyCharacters) {
  const std::string path = R"(/tmp/a "b", {c}\d)";
  for (const auto& words : {domain_arguments(path), endpoint_arguments({path})}) {
    EXPECT_EQ(nlohmann::json::parse(words.back()).at("socket").at("path"), path);
  }
  EXPECT_THROW(domain_arguments("/tmp/\xff"), config::ConfigError);
}

}  // namespace
}  // namespace npuvp::host
