// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "platform/debug/firmware/call_tracker.h"

namespace npuvp::debug::firmware {

/// Where simulated time went, by call stack: one tree for each hart. Time asleep is counted apart.
class Profile final : public CallListener {
 public:
  struct Node {
    std::string name;
    Node* parent = nullptr;
    uint64_t calls = 0;
    sc_core::sc_time self;                                  ///< In the function itself.
    std::map<std::string, std::unique_ptr<Node>> children;  ///< By name.

    [[nodiscard]] sc_core::sc_time total() const;
  };

  explicit Profile(unsigned harts);

  void on_enter(unsigned hart, const FunctionTable::Function* function, sc_core::sc_time at) override;
  void on_leave(unsigned hart, sc_core::sc_time at) override;
  void on_run(unsigned hart, sc_core::sc_time spent) override;
  void on_sleep(unsigned hart, sc_core::sc_time spent) override;

  /// Harts that ran, below one root.
  [[nodiscard]] const Node& root() const { return root_; }
  [[nodiscard]] sc_core::sc_time asleep() const { return asleep_; }

  /// One line a stack with its time in it alone: "hart 0;main;work 1234" (ns), as tools for flame graphs read it.
  [[nodiscard]] std::string folded() const;
  /// A picture that shows itself in any browser: a box a function, as wide as its time, on top of its caller.
  [[nodiscard]] std::string flame_graph(const std::string& title) const;

 private:
  Node root_;
  std::vector<Node*> current_;  ///< Of each hart.
  sc_core::sc_time asleep_;
};

}  // namespace npuvp::debug::firmware
