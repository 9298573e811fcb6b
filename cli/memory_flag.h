#pragma once

#include <cstdint>
#include <string>

#include "cli/verb.h"
#include "ldm/pipeline/request.h"

namespace ldm::cli {

void add_memory_option(CLI::App* verb, std::string& memory);
void add_tile_option(CLI::App* verb, std::string& tile);

// Bytes that --memory grants beside the weights. Without it half of what is free on the machine's main memory
// just now, or most of what is free on a GPU; 0 (any) where that is not known. To be asked once the weights
// are loaded. Throws kUsage.
int64_t memory_budget(const std::string& memory, const Context& context);

// "64" or "64,16": latents of a crop's side, and of what neighbours share. Throws kUsage.
TileRequest read_tile(const std::string& tile);

}  // namespace ldm::cli
