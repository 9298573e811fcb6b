#include "ldm/data/captions.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

// `count` different keywords in random order, joined by ", "; fewer if there are not so many.
std::string some_keywords(std::vector<std::string> keywords, int64_t count, Random& random) {
  count = std::min(count, static_cast<int64_t>(keywords.size()));
  std::string out;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t other = i + random.below(static_cast<int64_t>(keywords.size()) - i);
    std::swap(keywords[static_cast<size_t>(i)], keywords[static_cast<size_t>(other)]);
    out.append(i > 0 ? ", " : "").append(keywords[static_cast<size_t>(i)]);
  }
  return out;
}

void check_probability(const char* name, double value) {
  check(value >= 0 && value <= 1, "captions: expected ", name, " in [0, 1], got ", value);
}

}  // namespace

void check_caption_options(const CaptionOptions& options) {
  check_probability("text_only", options.text_only);
  check_probability("text_keywords", options.text_keywords);
  check_probability("text_only + text_keywords", options.text_only + options.text_keywords);
  check_probability("colour", options.colour);
  check_probability("style", options.style);
  check_probability("dropout", options.dropout);
}

std::string draw_caption(const CaptionWords& words, const CaptionOptions& options, Random random) {
  // Every chance is drawn, whether it counts or not, so that changing one probability moves no other.
  const double dropped = random.uniform(), form = random.uniform(), coloured = random.uniform();
  const double styled = random.uniform();
  if (dropped < options.dropout) return "";

  std::string caption = words.text;
  if (!words.colour.empty() && coloured < options.colour && !names_a_colour(caption)) {
    caption = words.colour + " " + caption;
  }
  if (!words.keywords.empty() && form >= options.text_only) {
    if (form < options.text_only + options.text_keywords) {
      caption += ", " + some_keywords(words.keywords, 1 + random.below(4), random);
    } else {
      caption = some_keywords(words.keywords, 2 + random.below(4), random);
    }
  }
  if (!words.style.empty() && styled < options.style) caption += ", " + words.style;
  return caption;
}

std::string plain_caption(const CaptionWords& words) {
  return words.style.empty() ? words.text : words.text + ", " + words.style;
}

bool names_a_colour(std::string_view text) {
  static const std::set<std::string_view> kWords = {"red",  "orange", "yellow", "green", "blue", "purple",
                                                    "pink", "brown",  "black",  "white", "grey", "gray",
                                                    "gold", "golden", "blond",  "silver"};
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of(" -:,", at), text.size());
    if (kWords.contains(text.substr(at, end - at))) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace ldm
