#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "ldm/model/model_layout.h"

namespace ldm::zoo {

// One row of published.tsv: a part of a model as its authors have it.
struct PublishedPart {
  std::string name;                         // "model.diffusion_model"
  std::string tensors;                      // A number, or "-".
  std::string parameters;                   // "394.984M", "512000", or "?".
  std::map<std::string, std::string> keys;  // Beginning of the names -> key list that they must equal.
};

// Rows by file ("ldm/celeba256"), in the order of the table.
std::vector<std::pair<std::string, std::vector<PublishedPart>>> read_published(
    const std::filesystem::path& table);

// A count as the table writes it: with as many digits as `like` has behind its point.
std::string count_like(const std::string& like, int64_t parameters);

// What differs between the part and the published one, one line each; empty when nothing does. `keys`: the
// folder of the key lists.
std::vector<std::string> differences(const ModelPart& part, const PublishedPart& published,
                                     const std::filesystem::path& keys);

}  // namespace ldm::zoo
