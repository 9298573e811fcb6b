#pragma once

#include <cstdint>
#include <vector>

#include "ldm/data/emoji.h"
#include "ldm/data/emoji_names.h"

namespace ldm {

// One picture to draw from the font, before its colour is known.
struct EmojiPicture {
  EmojiEntry entry;
  Annotation words;
  bool tone = false;
  bool held_out = false;
  bool named_by_cldr = false;
  double weight = 1;
};

// Chooses the pictures of the set, in the file's order: every concept, and its single-tone variants if
// wanted.
std::vector<EmojiPicture> plan_emoji(const std::vector<EmojiEntry>& entries, const Annotations& cldr,
                                     const EmojiOptions& options);

}  // namespace ldm
