#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ldm/text/prompt_weights.h"
#include "ldm/text/tokenizer.h"

namespace ldm {

// What the encoder reads at once: begin, tokens, end, padding. A token and its weight stand at the same
// place; begin, end and padding have weight 1.
struct PromptChunk {
  std::vector<int64_t> ids;
  std::vector<double> weights;
};

struct PromptChunks {
  std::vector<PromptChunk> chunks;  // At least one; all of one size.
  int64_t tokens = 0;               // Places used: those of the last chunk, and all of the others.
};

struct ChunkOptions {
  int64_t length = 75;  // Tokens in a chunk, without begin and end.
  int64_t comma_backtrack =
      20;  // How far back a comma may be to cut there instead of inside a phrase; 0: never.
};

// Cuts a prompt of any length into chunks (the rule of AUTOMATIC1111's web UI). The parts are tokenized one
// by one. A chunk that is full before a phrase ends gives what stands after its last comma to the next one,
// if that comma is among its last `comma_backtrack` places. BREAK closes a chunk, even an empty one. Throws
// kUsage for a length < 1.
PromptChunks chunk_prompt(std::span<const PromptPart> parts, const Tokenizer& tokenizer,
                          const ChunkOptions& options = {});

}  // namespace ldm
