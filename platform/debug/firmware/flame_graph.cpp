// SPDX-License-Identifier: Apache-2.0
#include "platform/debug/firmware/flame_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace npuvp::debug::firmware {
namespace {

constexpr double kWidth = 1200;
constexpr double kMargin = 10;
constexpr double kRow = 18;
constexpr double kHeader = 44;
constexpr double kLetter = 7;  // of the font in the boxes
constexpr double kNarrowest = 0.3;

std::string xml(std::string_view text) {
  std::string out;
  for (const char each : text) {
    switch (each) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += each;
    }
  }
  return out;
}

/// A warm colour that a name always has.
std::string colour(std::string_view name) {
  uint32_t hash = 2166136261u;  // FNV-1a
  for (const char each : name) hash = (hash ^ static_cast<uint8_t>(each)) * 16777619u;
  return fmt::format("rgb({},{},{})", 205 + hash % 50, 80 + hash / 50 % 130, 40 + hash / 6500 % 40);
}

class Drawing {
 public:
  explicit Drawing(const Profile::Node& root) : rows_(depth_of(root)), total_(root.total()) {
    if (total_ != sc_core::SC_ZERO_TIME) draw(root, kMargin, 0);
  }
  [[nodiscard]] double height() const { return kHeader + kRow * static_cast<double>(rows_) + kMargin; }
  [[nodiscard]] const std::string& boxes() const { return boxes_; }

 private:
  static size_t depth_of(const Profile::Node& node) {
    size_t depth = 0;
    for (const auto& [name, child] : node.children) depth = std::max(depth, depth_of(*child));
    return depth + 1;
  }

  void draw(const Profile::Node& node, double left, size_t row) {
    const sc_core::sc_time time = node.total();
    const double share = time / total_;
    const double width = share * (kWidth - 2 * kMargin);
    if (width < kNarrowest) return;
    const double top = kHeader + kRow * static_cast<double>(rows_ - 1 - row);
    const auto letters = static_cast<size_t>(std::max(0.0, (width - 4) / kLetter));
    std::string label = node.name;
    if (label.size() > letters) label = letters < 3 ? "" : label.substr(0, letters - 2) + "..";
    boxes_ += fmt::format(
        "<g><title>{}: {:.3f} us ({:.2f} %), itself {:.3f} us, {} calls</title>"
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"2\" fill=\"{}\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text></g>\n",
        xml(node.name), time.to_seconds() * 1e6, share * 100, node.self.to_seconds() * 1e6, node.calls, left, top,
        width, kRow - 1, colour(node.name), left + 3, top + kRow - 6, xml(label));
    for (const auto& [name, child] : node.children) {
      draw(*child, left, row + 1);
      left += child->total() / total_ * (kWidth - 2 * kMargin);
    }
  }

  size_t rows_;
  sc_core::sc_time total_;
  std::string boxes_;
};

}  // namespace

std::string draw_flame_graph(const Profile::Node& root, const std::string& title) {
  const Drawing drawing(root);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n"
      "<style>text {{ font: 12px monospace; fill: #000 }} g:hover rect {{ stroke: #000 }}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fdfaf2\"/>\n"
      "<text x=\"{2}\" y=\"26\" style=\"font-size: 15px\">{3}</text>\n{4}</svg>\n",
      kWidth, drawing.height(), kMargin, xml(title), drawing.boxes());
}

}  // namespace npuvp::debug::firmware
