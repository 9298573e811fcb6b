#include "cli/info_text.h"

#include <cstddef>

namespace ldm::cli {

std::string grouped_digits(int64_t value) {
  std::string out = std::to_string(value);
  for (int64_t i = static_cast<int64_t>(out.size()) - 3; i > 0; i -= 3)
    out.insert(static_cast<std::size_t>(i), 1, ',');
  return out;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (const auto size : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
}

}  // namespace ldm::cli
