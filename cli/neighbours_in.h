#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>

namespace ldm::cli {

// Embeddings of neighbours [k, D], rows of length 1. `from`: a safetensors file with `embeddings` [N, D]; or
// a picture or a folder of pictures, whose embeddings are their thumbnails (data/task_sets.h), as a model
// trained without better ones reads them. query: empty takes all rows; a picture or a safetensors file with
// one row takes the k nearest to it. Throws kData and kFormat for files, kUsage for widths that differ and
// for fewer rows than k.
torch::Tensor read_neighbours(const std::string& from, const std::string& query, int64_t k);

}  // namespace ldm::cli
