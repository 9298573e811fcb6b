#include "ldm/data/scenes.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/stopped.h"
#include "ldm/data/coco_writer.h"
#include "ldm/data/label_map.h"
#include "ldm/image/png.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostScenes = 1'000'000;

void check_scene_options(const SceneSetOptions& o) {
  check(o.count >= 1 && o.count <= kMostScenes, "scenes: expected 1 to ", kMostScenes, " pictures, got ",
        o.count);
  check(o.held_out >= 0 && o.held_out <= o.count, "scenes: expected 0 to ", o.count,
        " held-out pictures, got ", o.held_out);
}

std::string scene_file(int64_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "%06lld.png", static_cast<long long>(number));
  return name;
}

LabelTable scene_labels(const std::vector<SceneSprite>& sprites) {
  LabelTable table;
  for (const SceneSprite& sprite : sprites) table.labels.push_back({table.size() + 1, sprite.name});
  for (const std::string_view region : scene_regions()) {
    table.labels.push_back({table.size() + 1, std::string(region)});
  }
  return table;
}

class SceneSetWriter {
 public:
  SceneSetWriter(const SceneSetOptions& options, const fs::path& out, std::vector<SceneSprite> sprites)
      : options_(options), out_(out), sprites_(std::move(sprites)) {
    for (CocoWriter& split : splits_) {
      for (size_t i = 0; i < sprites_.size(); ++i) {
        split.add_category({static_cast<int64_t>(i + 1), sprites_[i].name, sprites_[i].supercategory});
      }
    }
  }

  void add(int64_t number) {  // From 1.
    const auto index = static_cast<uint64_t>(number);
    const Scene scene = compose_scene(sprites_, options_.scene, Random(options_.seed, "scene", index));
    const auto captions = describe_scene(scene, sprites_, Random(options_.seed, "scene captions", index));
    const std::string name = scene_file(number);
    write(out_ / "images" / name, scene.picture);
    write(out_ / "labels" / name, scene.labels);
    write(out_ / "instances" / name, scene.instances);

    const bool held_out = number > options_.count - options_.held_out;
    CocoWriter& split = splits_[held_out ? 1 : 0];
    split.add_image(number, name, options_.scene.side, options_.scene.side);
    for (size_t i = 0; i < scene.objects.size(); ++i) {
      const SceneObject& o = scene.objects[i];
      const std::array<int64_t, 4> box{o.x, o.y, o.width, o.height};
      split.add_object(number, o.category + 1, box, o.area,
                       run_lengths(scene.instances, static_cast<uint8_t>(i + 1)));
    }
    for (const std::string& caption : captions) split.add_caption(number, caption);
    add_metadata(name, captions.front(), scene, held_out);
    report_.pictures += 1;
    report_.held_out += held_out ? 1 : 0;
    report_.objects += static_cast<int64_t>(scene.objects.size());
  }

  SceneSetReport finish() {
    remove_older(options_.count + 1);
    write_file_atomic(out_ / "labels.txt", write_label_table(scene_labels(sprites_)));
    const char* names[] = {"train.json", "val.json"};
    for (size_t i = 0; i < 2; ++i) {
      splits_[i].write_instances(out_ / "annotations" / (std::string("instances_") + names[i]));
      splits_[i].write_captions(out_ / "annotations" / (std::string("captions_") + names[i]));
    }
    write_file_atomic(out_ / "metadata.jsonl", metadata_);
    return report_;
  }

 private:
  static void write(const fs::path& path, const Image& image) {
    const auto png = encode_png(image);
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(png.data()), static_cast<std::streamsize>(png.size()));
    file.close();
    check(file.good(), ErrorKind::kData, "scenes: cannot write ", path.string());
  }

  // What a larger set that stood here before has beyond this one.
  void remove_older(int64_t number) const {
    for (bool found = true; found; ++number) {
      found = false;
      for (const char* kind : {"images", "labels", "instances"}) {
        std::error_code ignored;
        found = fs::remove(out_ / kind / scene_file(number), ignored) || found;
      }
    }
  }

  void add_metadata(const std::string& name, const std::string& caption, const Scene& scene, bool held_out) {
    std::set<std::string> kinds;
    for (const SceneObject& o : scene.objects) kinds.insert(sprites_[static_cast<size_t>(o.category)].name);
    const nlohmann::ordered_json line = {{"file_name", "images/" + name},
                                         {"text", caption},
                                         {"keywords", kinds},
                                         {"split", held_out ? "heldout" : "train"}};
    metadata_ += line.dump() + "\n";
  }

  const SceneSetOptions& options_;
  fs::path out_;
  std::vector<SceneSprite> sprites_;
  std::array<CocoWriter, 2> splits_{CocoWriter("Scenes of emoji, training"),
                                    CocoWriter("Scenes of emoji, held out")};
  std::string metadata_;
  SceneSetReport report_;
};

void prepare_scene_folder(const fs::path& out) {
  std::error_code error;
  for (const char* name : {"images", "labels", "instances", "annotations"}) {
    fs::create_directories(out / name, error);
    check(!error, ErrorKind::kData, "scenes: cannot create ", (out / name).string(), ": ", error.message());
  }
  fs::remove(out / "metadata.jsonl", error);
}

}  // namespace

SceneSetReport make_scene_set(const SceneSetOptions& options, const fs::path& out, const ProgressFn& progress,
                              const StopToken& stop) {
  check_scene_options(options);
  auto sprites = choose_scene_sprites(read_emoji_sources(options.sources, "scenes"), options.categories);
  compose_scene(sprites, options.scene,
                Random(options.seed));  // Refuses wrong sizes before anything is written.
  prepare_scene_folder(out);
  SceneSetWriter writer(options, out, std::move(sprites));
  for (int64_t number = 1; number <= options.count; ++number) {
    check_stop(stop, "scenes: stopped after ", number - 1, " of ", options.count, " pictures");
    writer.add(number);
    report(progress, {"scenes", number, options.count, {}, "images"});
  }
  return writer.finish();
}

}  // namespace ldm
