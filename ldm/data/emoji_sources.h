#pragma once

#include <string_view>
#include <vector>

#include "ldm/data/cldr_annotations.h"
#include "ldm/data/emoji.h"
#include "ldm/data/emoji_font.h"
#include "ldm/data/emoji_names.h"

namespace ldm {

// What the built-in data sets are made of.
struct EmojiSources {
  EmojiFont font;
  std::vector<EmojiEntry> entries;
  Annotations cldr;
};

// Reads the four files of `options`. Throws kData where one is missing (the message begins with `who` and
// names the Debian package), kFormat for a broken one.
EmojiSources read_emoji_sources(const EmojiOptions& options, std::string_view who);

}  // namespace ldm
