#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/verb.h"
#include "ldm/core/error.h"
#include "ldm/data/emoji.h"

namespace ldm::cli {
namespace {

struct EmojiFlags {
  EmojiOptions options;
  std::string out;
  bool force = false, json = false;
};

int make_emoji(const EmojiFlags& flags, const Context& context) {
  const std::filesystem::path out = flags.out;
  check(flags.force || !std::filesystem::exists(out / "metadata.jsonl"), out.string(),
        " holds a data set already; hint: --force writes over it");
  const auto report = make_emoji_set(flags.options, out, context.progress(), context.stop);
  context.terminal->end_bar();
  if (flags.json) {
    std::cout << nlohmann::ordered_json{{"folder", out.string()},
                                        {"pictures", report.pictures()},
                                        {"concepts", report.concepts},
                                        {"tones", report.tones},
                                        {"colour_copies", report.colour_copies},
                                        {"held_out_concepts", report.held_out},
                                        {"effective_pictures", report.weight}}
                     .dump()
              << '\n';
  } else {
    std::cout << out.string() << ": " << report.pictures() << " pictures of " << report.concepts << " emoji ("
              << report.tones << " with a skin tone, " << report.colour_copies << " colour copies), "
              << report.held_out << " emoji held out\n";
  }
  return 0;
}

}  // namespace

void add_data(CLI::App& app, Context& context) {
  auto* verb = add_verb(app, context, "data", "makes the built-in data set",
                        {{"ldm data emoji data/emoji", "64-pixel emoji with names and keywords"},
                         {"ldm data emoji data/emoji128 --size 128", "the same at 128 pixels"}});
  auto flags = std::make_shared<EmojiFlags>();
  auto set = std::make_shared<std::string>();
  verb->add_option("set", *set, "which one: emoji")->required();
  verb->add_option("out", flags->out, "folder for the pictures and metadata.jsonl")->required();
  add_option(verb, "--size", flags->options.size, "side of the pictures, 64 or 128 pixels");
  add_option(verb, "--colour-copies", flags->options.colour_copies,
             "hue-rotated copies of each picture, 0 to 6");
  add_option(verb, "--held-out", flags->options.held_out, "emoji marked as held out");
  add_option(verb, "--font", flags->options.font, "colour bitmap font");
  verb->add_flag("--force", flags->force, "write over a data set that is there");
  verb->add_flag("--json", flags->json, "print the result as JSON");
  set_run(verb, context, [flags, set, &context] {
    check(*set == "emoji", "data: expected emoji, got '", *set, "'");
    return make_emoji(*flags, context);
  });
}

}  // namespace ldm::cli
