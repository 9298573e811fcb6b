#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/data/cldr_annotations.h"

namespace ldm {

// One line of emoji-test.txt that is fully qualified.
struct EmojiEntry {
  std::u32string code_points;  // As the file has them, with U+FE0F.
  std::string group;           // "Food & Drink"
  std::string subgroup;        // "food-prepared"
  std::string name;            // "pizza"
};

// Reads Unicode's emoji-test.txt (UTS 51). A line that breaks its form is a format error with its number.
std::vector<EmojiEntry> parse_emoji_test(std::span<const std::byte> text, std::string_view file_name);

// Skin-tone modifiers (U+1F3FB to U+1F3FF) in the sequence.
int64_t count_skin_tones(std::u32string_view code_points);

// The sequence without U+FE0F; also without skin tones: what a toned picture is a variant of.
std::u32string without_selectors(std::u32string_view code_points);
std::u32string concept_of(std::u32string_view code_points);

// "1f469-200d-1f680": lower-case hexadecimal without U+FE0F, as the held-out rule and file names use it.
std::string hex_name(std::u32string_view code_points);

// The name and keywords of an entry: CLDR's where it has them, else the entry's own name; the words of the
// subgroup are added to the keywords, and the name itself and repetitions are left out of them.
Annotation describe_emoji(const EmojiEntry& entry, const Annotations& cldr);

}  // namespace ldm
