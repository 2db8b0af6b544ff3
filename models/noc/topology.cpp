// SPDX-License-Identifier: Apache-2.0
#include "models/noc/topology.h"

#include <algorithm>
#include <stdexcept>

namespace npuvp::noc {
namespace {

bool sensible(Topology::Kind kind, unsigned columns, unsigned rows) {
  switch (kind) {
    case Topology::Kind::kCrossbar:
      return columns == 1 && rows == 1;
    case Topology::Kind::kRing:
      return columns >= 3 && rows == 1;
    case Topology::Kind::kMesh:
      return columns >= 1 && rows >= 1 && columns <= 255 && rows <= 255;
  }
  return false;
}

}  // namespace

Topology::Topology(Kind kind, unsigned columns, unsigned rows) : kind_(kind), columns_(columns), rows_(rows) {
  if (!sensible(kind, columns, rows)) throw std::invalid_argument("a NoC of this kind has no such shape");
  for (unsigned from = 0; kind != Kind::kCrossbar && from < nodes(); ++from) {
    std::vector<unsigned> neighbours;
    if (kind == Kind::kRing) {
      neighbours = {(from + nodes() - 1) % nodes(), (from + 1) % nodes()};
    } else {
      if (from >= columns_) neighbours.push_back(from - columns_);
      if (from % columns_ != 0) neighbours.push_back(from - 1);
      if ((from + 1) % columns_ != 0) neighbours.push_back(from + 1);
      if (from + columns_ < nodes()) neighbours.push_back(from + columns_);
    }
    std::sort(neighbours.begin(), neighbours.end());
    for (const unsigned to : neighbours) links_.emplace_back(from, to);
  }
}

std::size_t Topology::link(const Link& link) const {
  const auto found = std::lower_bound(links_.begin(), links_.end(), link);
  if (found == links_.end() || *found != link) throw std::out_of_range("nodes of a NoC are not linked");
  return static_cast<std::size_t>(found - links_.begin());
}

std::vector<std::size_t> Topology::route(unsigned from, unsigned to) const {
  std::vector<std::size_t> path;
  while (from != to) {
    const unsigned step = next(from, to);
    path.push_back(link({from, step}));
    from = step;
  }
  return path;
}

unsigned Topology::next(unsigned at, unsigned to) const {
  if (kind_ == Kind::kRing) {
    const unsigned upwards = (to + nodes() - at) % nodes();
    return upwards <= nodes() - upwards ? (at + 1) % nodes() : (at + nodes() - 1) % nodes();
  }
  if (at % columns_ != to % columns_) return at % columns_ < to % columns_ ? at + 1 : at - 1;
  return at < to ? at + columns_ : at - columns_;
}

}  // namespace npuvp::noc
