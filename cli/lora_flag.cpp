#include "cli/lora_flag.h"

#include "cli/file_strength.h"
#include "ldm/model/adapter_file.h"

namespace ldm::cli {

void apply_loras(LatentDiffusion& model, const std::vector<std::string>& flags, const LogFn& log) {
  for (const auto& text : flags) {
    const auto flag = read_file_strength(text, "--lora");
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
