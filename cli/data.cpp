#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/print_json.h"
#include "cli/verb.h"
#include "ldm/core/error.h"
#include "ldm/data/emoji.h"
#include "ldm/data/scenes.h"

namespace ldm::cli {
namespace {

struct DataFlags {
  std::string set, out, font = EmojiOptions().font;
  int64_t size = 0, held_out = -1;  // Not given: each set has its own.
  EmojiOptions emoji;
  SceneSetOptions scenes;
  bool force = false, json = false;
};

int make_emoji(DataFlags flags, const Context& context) {
  if (flags.size > 0) flags.emoji.size = flags.size;
  if (flags.held_out >= 0) flags.emoji.held_out = flags.held_out;
  flags.emoji.font = flags.font;
  const auto report = make_emoji_set(flags.emoji, flags.out, context.progress(), context.stop);
  context.terminal->end_bar();
  if (flags.json) {
    print_json({{"folder", flags.out},
                {"pictures", report.pictures()},
                {"concepts", report.concepts},
                {"tones", report.tones},
                {"colour_copies", report.colour_copies},
                {"held_out_concepts", report.held_out},
                {"effective_pictures", report.weight}});
  } else {
    std::cout << flags.out << ": " << report.pictures() << " pictures of " << report.concepts << " emoji ("
              << report.tones << " with a skin tone, " << report.colour_copies << " colour copies), "
              << report.held_out << " emoji held out\n";
  }
  return 0;
}

int make_scenes(DataFlags flags, const Context& context) {
  if (flags.size > 0) flags.scenes.scene.side = flags.size;
  flags.scenes.held_out = flags.held_out >= 0 ? flags.held_out : flags.scenes.count / 20;
  flags.scenes.sources.font = flags.font;
  const auto report = make_scene_set(flags.scenes, flags.out, context.progress(), context.stop);
  context.terminal->end_bar();
  if (flags.json) {
    print_json({{"folder", flags.out},
                {"pictures", report.pictures},
                {"objects", report.objects},
                {"categories", flags.scenes.categories},
                {"held_out", report.held_out}});
  } else {
    std::cout << flags.out << ": " << report.pictures << " scenes with " << report.objects << " things of "
              << flags.scenes.categories << " kinds, " << report.held_out << " scenes held out\n";
  }
  return 0;
}

// Throws kUsage for an option of the other set.
void check_unread(const std::vector<const CLI::Option*>& others, const std::string& set) {
  for (const auto* option : others)
    check(option->count() == 0, "--", option->get_lnames().front(), ": does not count for ", set,
          "; expected none");
}

}  // namespace

void add_data(CLI::App& app, Context& context) {
  auto* verb = add_verb(app, context, "data", "makes the built-in data sets",
                        {{"ldm data emoji data/emoji", "64-pixel emoji with names and keywords"},
                         {"ldm data emoji data/emoji128 --size 128", "the same at 128 pixels"},
                         {"ldm data scenes data/scenes -n 5000",
                          "256-pixel scenes with captions, boxes, masks and COCO's annotation files"}});
  auto flags = std::make_shared<DataFlags>();
  auto& scenes = flags->scenes;
  verb->add_option("set", flags->set, "which one: emoji or scenes")->required();
  verb->add_option("out", flags->out, "folder for the pictures and metadata.jsonl")->required();
  verb->add_option("--size", flags->size,
                   "side of the pictures in pixels: 64 or 128 of emoji [64], 32 to 2048 of scenes [256]");
  verb->add_option("--held-out", flags->held_out, "emoji [80] or scenes [one in 20] marked as held out");
  const std::vector<const CLI::Option*> of_emoji = {
      add_option(verb, "--colour-copies", flags->emoji.colour_copies,
                 "emoji: hue-rotated copies of each picture, 0 to 6")};
  const std::vector<const CLI::Option*> of_scenes = {
      add_option(verb, "-n,--count", scenes.count, "scenes: how many pictures"),
      add_option(verb, "--categories", scenes.categories, "scenes: kinds of things, 1 to 200"),
      add_option(verb, "--min-objects", scenes.scene.min_objects, "scenes: fewest things in a picture"),
      add_option(verb, "--max-objects", scenes.scene.max_objects,
                 "scenes: most things in a picture, up to 30"),
      add_option(verb, "--seed", scenes.seed, "scenes: what they are drawn by")};
  add_option(verb, "--font", flags->font, "colour bitmap font");
  verb->add_flag("--force", flags->force, "write over a data set that is there");
  verb->add_flag("--json", flags->json, "print the result as JSON");
  set_run(verb, context, [flags, of_emoji, of_scenes, &context] {
    const std::filesystem::path out = flags->out;
    check(flags->set == "emoji" || flags->set == "scenes", "data: expected emoji or scenes, got '",
          flags->set, "'");
    check_unread(flags->set == "emoji" ? of_scenes : of_emoji, flags->set);
    check(flags->force || !std::filesystem::exists(out / "metadata.jsonl"), out.string(),
          " holds a data set already; hint: --force writes over it");
    return flags->set == "emoji" ? make_emoji(*flags, context) : make_scenes(*flags, context);
  });
}

}  // namespace ldm::cli
