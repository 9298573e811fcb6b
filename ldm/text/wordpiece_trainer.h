#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "ldm/text/wordpiece.h"

namespace ldm {

// Learns a vocabulary of at most vocab_size pieces from texts: [PAD] [UNK] [CLS] [SEP], then every character
// of the texts and of printable ASCII (upper case apart, which never reaches the pieces), alone and, where it
// can be, with "##"; then the most frequent pair of neighbouring pieces is merged until the vocabulary is
// full or no pair occurs min_count times (HF tokenizers' WordPieceTrainer; ties go to the pieces that came
// first). The same texts give the same pieces. Throws kUsage if the characters alone need more than
// vocab_size.
WordPiece train_wordpiece(std::span<const std::string> texts, int64_t vocab_size, int64_t min_count = 2);

}  // namespace ldm
