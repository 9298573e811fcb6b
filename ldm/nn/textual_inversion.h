#pragma once

#include <torch/types.h>

#include <cstdint>

#include "ldm/nn/layers.h"

namespace ldm {

// Words learned from pictures are new rows of a text encoder's token embedding (Gal et al. 2022, Sec. 3).

// Appends vectors [n, D] to the table [V, D]; their ids are V .. V + n - 1. Returns V. Throws kFormat for
// vectors of another width.
int64_t append_token_vectors(EmbeddingModule& table, const torch::Tensor& vectors);

// Puts vectors [n, D] in the place of the rows first_id .. first_id + n - 1. Throws kFormat for vectors of
// another width, kUsage for rows that the table does not have.
void replace_token_vectors(EmbeddingModule& table, int64_t first_id, const torch::Tensor& vectors);

// Drops all rows from `size` on: the table as it was before append_token_vectors.
void truncate_token_vectors(EmbeddingModule& table, int64_t size);

}  // namespace ldm
