#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/core/random.h"
#include "ldm/data/emoji_sources.h"
#include "ldm/image/image.h"

namespace ldm {

// Where a thing belongs in a scene.
enum class SceneZone { kGround, kAir, kWater };

// One category of the scenes: an emoji cut out along its outline.
struct SceneSprite {
  std::string name;           // "hedgehog"
  std::string supercategory;  // Unicode's subgroup: "animal-mammal".
  SceneZone zone = SceneZone::kGround;
  Image picture;  // RGBA, no empty rows or columns at its edges.
};

// `count` animals, plants, food, vehicles and other things, in the order of emoji-test.txt: those with the
// smallest CRC-32 of their hexadecimal names, so that more of them keep the first ones. Throws kUsage if
// there are not so many.
std::vector<SceneSprite> choose_scene_sprites(const EmojiSources& sources, int64_t count);

// What a scene is set against: bands of ground and sky.
struct ScenePlace {
  std::string phrase;                     // "on a beach"
  std::vector<std::string_view> regions;  // Names of scene_regions(), from the top.
};
const std::vector<ScenePlace>& scene_places();
// The names of all regions: "sky", "grass", …
const std::vector<std::string_view>& scene_regions();

struct SceneObject {
  int64_t category = 0;                         // Index of the sprite.
  int64_t x = 0, y = 0, width = 0, height = 0;  // Of what can be seen of it, in pixels.
  int64_t area = 0;                             // Pixels that can be seen.
};

struct Scene {
  Image picture;    // RGB
  Image labels;     // Grey: 1 + category of a thing, or 1 + number of categories + region.
  Image instances;  // Grey: 1 + index in `objects`, 0 elsewhere.
  std::vector<SceneObject> objects;
  std::string phrase;  // Of its place.
};

struct SceneSize {
  int64_t side = 256;  // Pixels.
  int64_t min_objects = 2, max_objects = 6;
};

// A scene drawn by `random`: a place, things in it, the nearer ones in front and larger. Of every thing at
// least 40 % can be seen; one that finds no such place is left out, but never below one thing.
Scene compose_scene(std::span<const SceneSprite> sprites, const SceneSize& size, Random random);

// What is in it, in five different ways: "two hedgehogs and a bus on a beach".
std::vector<std::string> describe_scene(const Scene& scene, std::span<const SceneSprite> sprites,
                                        Random random);

}  // namespace ldm
