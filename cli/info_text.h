#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ldm::cli {

// 1234567 -> "1,234,567".
std::string grouped_digits(int64_t value);

// "[3, 4]".
std::string shape_text(const std::vector<int64_t>& shape);

}  // namespace ldm::cli
