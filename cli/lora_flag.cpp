#include "cli/lora_flag.h"

#include <charconv>
#include <filesystem>

#include "ldm/core/error.h"
#include "ldm/model/adapter_file.h"

namespace ldm::cli {
namespace {

struct LoraFlag {
  std::string file;
  double strength = 1.0;
};

// "FILE:0.8"; a file whose name holds a colon is found first.
LoraFlag read_flag(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || std::filesystem::exists(text)) return {.file = text};
  LoraFlag out{.file = text.substr(0, colon)};
  const char *begin = text.data() + colon + 1, *end = text.data() + text.size();
  const auto [used, error] = std::from_chars(begin, end, out.strength);
  check(error == std::errc() && used == end, "--lora: expected FILE:STRENGTH, got '", text, "'");
  return out;
}

}  // namespace

void apply_loras(LatentDiffusion& model, const std::vector<std::string>& flags, const LogFn& log) {
  for (const auto& text : flags) {
    const auto flag = read_flag(text);
    const auto unmatched = add_adapters(model, flag.file, flag.strength);
    if (unmatched.empty()) continue;
    std::string names;
    for (size_t i = 0; i < unmatched.size() && i < 5; ++i) names += (i == 0 ? "" : ", ") + unmatched[i];
    log_warning(log, flag.file + ": " + std::to_string(unmatched.size()) +
                         " adapted modules are not in this model: " + names +
                         (unmatched.size() > 5 ? ", ..." : ""));
  }
}

}  // namespace ldm::cli
