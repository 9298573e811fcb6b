#include "cli/print_json.h"

#include <iostream>

namespace ldm::cli {

void print_json(const nlohmann::ordered_json& result, int indent) {
  std::cout << result.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

}  // namespace ldm::cli
