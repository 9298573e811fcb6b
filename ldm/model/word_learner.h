#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ldm/nn/layers.h"
#include "ldm/text/learned_words.h"

namespace ldm {

// A text encoder whose prompts may hold words learned from pictures (textual inversion, Gal et al. 2022).
class WordLearner {
 public:
  virtual ~WordLearner() = default;
  virtual int64_t word_width() const = 0;  // Of a word's vectors.
  // From now on each of the names in a prompt is seen as the vectors [n, word_width()]. Throws kFormat for
  // vectors of another width, kUsage for more than the encoder reads at once, and for a name that cannot be
  // found in a text or is taken.
  virtual void learn_word(const std::vector<std::string>& names, const torch::Tensor& vectors) = 0;
};

// learn_word of an encoder with this tokenizer and table, whose texts have `room` places.
void learn_word(const std::vector<std::string>& names, const torch::Tensor& vectors,
                const Tokenizer& tokenizer, int64_t room, EmbeddingModule& table, LearnedWords& words);

}  // namespace ldm
