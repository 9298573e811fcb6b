#include "ldm/data/emoji_plan.h"

#include <zlib.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/utf8.h"

namespace ldm {
namespace {

uint32_t checksum(const std::string& text) {
  return static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

bool is_place_flag(const EmojiEntry& entry) {
  return entry.subgroup == "country-flag" || entry.subgroup == "subdivision-flag";
}

// The concepts with the smallest checksums of their hex names.
std::set<std::u32string> choose_held_out(const std::vector<EmojiEntry>& concepts, int64_t count) {
  std::vector<std::pair<uint32_t, std::u32string>> order;
  for (const EmojiEntry& entry : concepts) {
    order.emplace_back(checksum(hex_name(entry.code_points)), concept_of(entry.code_points));
  }
  std::sort(order.begin(), order.end());
  check(count <= static_cast<int64_t>(order.size()), "make_emoji_set: expected at most ", order.size(),
        " held-out concepts, got ", count);
  std::set<std::u32string> out;
  for (int64_t i = 0; i < count; ++i) out.insert(order[static_cast<size_t>(i)].second);
  return out;
}

}  // namespace

std::vector<EmojiPicture> plan_emoji(const std::vector<EmojiEntry>& entries, const Annotations& cldr,
                                     const EmojiOptions& options) {
  std::vector<EmojiEntry> concepts;
  std::map<std::u32string, int64_t> variants;  // Toned pictures of each concept.
  for (const EmojiEntry& entry : entries) {
    if (is_place_flag(entry)) continue;
    const int64_t tones = count_skin_tones(entry.code_points);
    if (tones == 0) concepts.push_back(entry);
    if (tones == 1) ++variants[concept_of(entry.code_points)];
  }
  const std::set<std::u32string> held_out = choose_held_out(concepts, options.held_out);

  std::vector<EmojiPicture> out;
  for (const EmojiEntry& entry : entries) {
    const int64_t tones = count_skin_tones(entry.code_points);
    if (is_place_flag(entry) || tones > 1 || (tones == 1 && !options.tones)) continue;
    const std::u32string key = concept_of(entry.code_points);
    const double weight = tones == 0 ? 1 : options.tone_weight / static_cast<double>(variants[key]);
    const auto found = cldr.find(encode_utf8(without_selectors(entry.code_points)));
    const bool known = found != cldr.end() && !found->second.name.empty();
    out.push_back({entry, describe_emoji(entry, cldr), tones == 1, held_out.contains(key), known, weight});
  }
  return out;
}

}  // namespace ldm
