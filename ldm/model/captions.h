#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <string>

#include "ldm/model/conditioner.h"
#include "ldm/text/tokenizer.h"

namespace ldm {

// Captions as a text encoder reads them: C chunks of T tokens each. Only prompts have more than one chunk or
// other weights than 1; a shorter prompt of a batch is filled up with empty chunks.
struct CaptionTokens {
  torch::Tensor ids;      // [N, C, T] int64, on the CPU.
  torch::Tensor weights;  // [N, C, T] double.
};

// T = max_length, begin and end included. A caption that is no prompt is cut off at max_length, as in
// training.
CaptionTokens tokenize_captions(std::span<const Condition> conditions, const Tokenizer& tokenizer,
                                int64_t max_length);

// The encoder's states of all chunks, [N C, T, D], weighted chunk by chunk and put one behind the other: [N,
// C T, D].
torch::Tensor join_chunks(const torch::Tensor& states, const torch::Tensor& weights);

// Words that the tokenizer does not know, and whether the prompt is read in several chunks; empty if neither.
std::string prompt_complaint(const std::string& prompt, const Tokenizer& tokenizer, int64_t max_length);

}  // namespace ldm
