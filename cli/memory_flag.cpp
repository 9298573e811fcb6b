#include "cli/memory_flag.h"

#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "cli/start_torch.h"
#include "ldm/core/error.h"
#include "ldm/core/memory.h"

namespace ldm::cli {
namespace {

constexpr int64_t kLeastBudget = int64_t{64} << 20;  // Less does not decide whether a picture can be drawn.

int64_t default_budget(const Context& context) {
  const auto device = pick_device(context);
  // Others may need main memory too; a GPU's is rarely shared.
  if (!device.is_cpu()) {
    const auto [free, total] = c10::getDeviceAllocator(device.type())->getMemoryInfo(device.index());
    return static_cast<int64_t>(free / 10 * 9);
  }
  const auto free = available_memory();
  return free ? std::max(kLeastBudget, *free / 2) : 0;
}

}  // namespace

void add_memory_option(CLI::App* verb, std::string& memory) {
  verb->add_option("--memory", memory,
                   "memory beside the weights, such as 4G or 512M; 0: any; without it half of what is free");
}

void add_tile_option(CLI::App* verb, std::string& tile) {
  verb->add_option("--tile", tile,
                   "large pictures in overlapping crops: SIDE or SIDE,OVERLAP in latents, such as 64,16");
}

int64_t memory_budget(const std::string& memory, const Context& context) {
  return memory.empty() ? default_budget(context) : parse_memory(memory, "--memory");
}

TileRequest read_tile(const std::string& text) {
  TileRequest tile;
  if (text.empty()) return tile;
  const char* const last = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), last, tile.side);
  if (error == std::errc() && at != last && *at == ',') {
    const auto [end, second] = std::from_chars(at + 1, last, tile.overlap);
    at = end;
    error = tile.overlap < 0 ? std::errc::invalid_argument : second;
  }
  check(error == std::errc() && at == last && tile.side > 0,
        "--tile: expected SIDE or SIDE,OVERLAP in latents, such as 64 or 64,16, got '", text, "'");
  return tile;
}

}  // namespace ldm::cli
