// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace npuvp::noc {

/// The routers of a NoC and the way from one to another. Deterministic routing, so that bursts of a flow stay in order.
class Topology {
 public:
  enum class Kind : uint8_t {
    kCrossbar,  ///< One router, all ports at it.
    kRing,      ///< Nodes 0 to n - 1 in a circle, a link each way: the shorter way, upwards when both are equal.
    kMesh,      ///< Node = row * columns + column: first along the row, then along the column (XY).
  };
  /// A link from one node to the next one.
  using Link = std::pair<unsigned, unsigned>;

  /// Crossbar: 1 x 1. Ring: `columns` nodes, at least 3, 1 row. Throws std::invalid_argument for other shapes.
  Topology(Kind kind, unsigned columns, unsigned rows);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] unsigned columns() const { return columns_; }
  [[nodiscard]] unsigned rows() const { return rows_; }
  [[nodiscard]] unsigned nodes() const { return columns_ * rows_; }
  /// Every link, in order of its nodes.
  [[nodiscard]] const std::vector<Link>& links() const { return links_; }
  /// Index of a link in links(). Throws std::out_of_range for a pair that is not linked.
  [[nodiscard]] std::size_t link(const Link& link) const;
  /// The links from a node to another, by index; none when they are the same.
  [[nodiscard]] std::vector<std::size_t> route(unsigned from, unsigned to) const;

 private:
  [[nodiscard]] unsigned next(unsigned at, unsigned to) const;

  Kind kind_;
  unsigned columns_;
  unsigned rows_;
  std::vector<Link> links_;
};

}  // namespace npuvp::noc
