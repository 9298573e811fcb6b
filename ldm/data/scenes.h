#pragma once

#include <cstdint>
#include <filesystem>

#include "ldm/core/progress.h"
#include "ldm/core/stop.h"
#include "ldm/data/emoji.h"
#include "ldm/data/scene.h"

namespace ldm {

struct SceneSetOptions {
  EmojiOptions sources;     // Of it, the paths.
  SceneSize scene;          // Side of the pictures and how many things.
  int64_t count = 1000;     // Pictures.
  int64_t categories = 80;  // Kinds of things, 1 to 200.
  int64_t held_out = 50;    // Pictures of the split "val", the last ones.
  uint64_t seed = 0;
};

struct SceneSetReport {
  int64_t pictures = 0, objects = 0, held_out = 0;
};

// Writes a data set of scenes in the folder `out`, in the forms of COCO:
//   images/000001.png        the pictures
//   labels/000001.png        semantic maps: grey values as labels.txt names them
//   instances/000001.png     instance maps: 1, 2, … in the order of the picture's annotations, 0 elsewhere
//   labels.txt               the label table: categories (by their COCO ids), then regions
//   annotations/instances_{train,val}.json, captions_{train,val}.json
//   metadata.jsonl           one caption and the split of each picture, for ldm train; written last
// The same options give the same bytes; picture k is a function of the seed and k alone. Throws kUsage for
// bad options, kData for missing sources and from the disk, Stopped on a stop.
SceneSetReport make_scene_set(const SceneSetOptions& options, const std::filesystem::path& out,
                              const ProgressFn& progress = {}, const StopToken& stop = {});

}  // namespace ldm
