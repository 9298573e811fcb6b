#include <zlib.h>

#include <algorithm>
#include <array>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/utf8.h"
#include "ldm/data/scene.h"

namespace ldm {
namespace {

struct SpriteGroup {
  std::string_view subgroup;
  SceneZone zone;
};
constexpr SpriteGroup kSpriteGroups[] = {
    {"animal-mammal", SceneZone::kGround},    {"animal-bird", SceneZone::kAir},
    {"animal-amphibian", SceneZone::kGround}, {"animal-reptile", SceneZone::kGround},
    {"animal-marine", SceneZone::kWater},     {"animal-bug", SceneZone::kGround},
    {"plant-flower", SceneZone::kGround},     {"plant-other", SceneZone::kGround},
    {"food-fruit", SceneZone::kGround},       {"food-vegetable", SceneZone::kGround},
    {"food-prepared", SceneZone::kGround},    {"food-sweet", SceneZone::kGround},
    {"transport-ground", SceneZone::kGround}, {"transport-water", SceneZone::kWater},
    {"transport-air", SceneZone::kAir},       {"musical-instrument", SceneZone::kGround}};

// Parts and signs that look odd in a landscape.
constexpr std::string_view kLeftOut[] = {"face",  "print", "feather", "wing", "light",    "sign",   "station",
                                         "track", "wheel", "fuel",    "seat", "oncoming", "phoenix"};

const SpriteGroup* sprite_group(const EmojiEntry& entry, const std::string& name) {
  for (const std::string_view part : kLeftOut) {
    if (name.find(part) != name.npos) return nullptr;
  }
  const auto* found = std::find_if(std::begin(kSpriteGroups), std::end(kSpriteGroups),
                                   [&](const SpriteGroup& g) { return g.subgroup == entry.subgroup; });
  return found == std::end(kSpriteGroups) || count_skin_tones(entry.code_points) > 0 ? nullptr : found;
}

// Without the transparent rows and columns around it.
Image trim(const Image& image) {
  int64_t x0 = image.width, y0 = image.height, x1 = 0, y1 = 0;
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      if (image.row(y)[4 * x + 3] < 128) continue;
      x0 = std::min(x0, x);
      x1 = std::max(x1, x + 1);
      y0 = std::min(y0, y);
      y1 = std::max(y1, y + 1);
    }
  }
  check(x0 < x1, ErrorKind::kData, "scenes: expected a picture that can be seen, got a blank one");
  return crop(image, x0, y0, x1 - x0, y1 - y0);
}

}  // namespace

std::vector<SceneSprite> choose_scene_sprites(const EmojiSources& sources, int64_t count) {
  struct Candidate {
    uint32_t checksum;
    size_t entry;
    const SpriteGroup* group;
    std::string name;
  };
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < sources.entries.size(); ++i) {
    const EmojiEntry& entry = sources.entries[i];
    std::string name = describe_emoji(entry, sources.cldr).name;
    const SpriteGroup* group = sprite_group(entry, name);
    if (group == nullptr) continue;
    const std::string hex = hex_name(entry.code_points);
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(hex.data()), static_cast<uInt>(hex.size()));
    candidates.push_back({static_cast<uint32_t>(sum), i, group, std::move(name)});
  }
  const auto available = static_cast<int64_t>(candidates.size());
  check(count >= 1 && count <= std::min<int64_t>(available, 200), "scenes: expected 1 to ",
        std::min<int64_t>(available, 200), " categories, got ", count);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.checksum < b.checksum; });
  candidates.resize(static_cast<size_t>(count));
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.entry < b.entry; });
  std::vector<SceneSprite> out;
  for (Candidate& candidate : candidates) {
    const EmojiEntry& entry = sources.entries[candidate.entry];
    out.push_back({std::move(candidate.name), entry.subgroup, candidate.group->zone,
                   trim(sources.font.draw_transparent(entry.code_points))});
  }
  return out;
}

}  // namespace ldm
