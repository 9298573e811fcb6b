#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "ldm/core/progress.h"
#include "ldm/core/stop.h"

namespace ldm {

// The built-in data set: Noto Color Emoji with the names and keywords of Unicode and CLDR, all from Debian
// packages.
struct EmojiOptions {
  std::string font = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";            // fonts-noto-color-emoji
  std::string emoji_test = "/usr/share/unicode/emoji/emoji-test.txt";                // unicode-data
  std::string annotations = "/usr/share/unicode/cldr/common/annotations/en.xml";     // unicode-cldr-core
  std::string derived = "/usr/share/unicode/cldr/common/annotationsDerived/en.xml";  // unicode-cldr-core
  int64_t size = 64;            // Side of the pictures: 64 or 128 pixels.
  bool tones = true;            // Keep the variants with one skin tone.
  double tone_weight = 0.3;     // Of all toned variants of one concept together.
  int64_t colour_copies = 1;    // Hue-rotated copies of each picture that has a dominant colour, 0 to 6.
  double colour_weight = 0.35;  // Of all colour copies of one concept together.
  int64_t held_out = 80;        // Concepts marked "heldout".

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("font", font, "colour bitmap font (Debian: fonts-noto-color-emoji)");
    visit("emoji_test", emoji_test, "emoji-test.txt (Debian: unicode-data)");
    visit("annotations", annotations, "CLDR annotations (Debian: unicode-cldr-core)");
    visit("derived", derived, "CLDR derived annotations (Debian: unicode-cldr-core)");
    visit("size", size, "side of the pictures, 64 or 128 pixels");
    visit("tones", tones, "keep the variants with one skin tone");
    visit("tone_weight", tone_weight, "weight of all toned variants of one concept together");
    visit("colour_copies", colour_copies,
          "hue-rotated copies of a picture that has a dominant colour, 0 to 6");
    visit("colour_weight", colour_weight, "weight of all colour copies of one concept together");
    visit("held_out", held_out, "concepts marked as held out");
  }
};

// What was made. Every count is of pictures, except concepts and held_out.
struct EmojiReport {
  int64_t concepts = 0;
  int64_t tones = 0;
  int64_t colour_copies = 0;
  int64_t held_out = 0;       // Concepts; their variants follow them.
  int64_t named_by_cldr = 0;  // Plain and toned pictures whose name CLDR knows; the rest have Unicode's.
  double weight = 0;          // Sum over the training split: effective pictures in an epoch.
  int64_t pictures() const { return concepts + tones + colour_copies; }
};

// Writes the folder `out`: images/<hex>[-<colour>].png (RGB on white) and metadata.jsonl, one object a
// picture: file_name, text (the name), keywords, group, class (Unicode's subgroup), code_points, weight,
// split ("train" | "heldout"), colour (own dominant colour or null), style ("noto") and kind ("plain" |
// "tone" | "colour-copy"). No flags of countries and subdivisions, no two-tone couples. Held out are the
// concepts with the smallest CRC-32 of their hex name. metadata.jsonl comes last, so a folder that has it is
// whole; the same inputs give the same bytes. Throws kData on a stop and where a file is missing (the message
// names the package), kUsage for bad options.
EmojiReport make_emoji_set(const EmojiOptions& options, const std::filesystem::path& out,
                           const ProgressFn& progress = {}, const StopToken& stop = {});

}  // namespace ldm
