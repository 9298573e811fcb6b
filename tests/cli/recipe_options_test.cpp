// Options to recipe and back, and recipes of other programs.
#include "cli/recipe_options.h"

#include <gtest/gtest.h>

#include <map>

#include "cli/foreign_recipe.h"
#include "cli/request_recipe.h"
#include "cli/verb.h"
#include "ldm/core/error.h"
#include "ldm/core/random.h"
#include "ldm/image/png.h"
#include "tests/cli/run_program.h"

namespace ldm::cli {
namespace {

// A verb with an option of each kind.
struct SampleVerb {
  std::string prompt, text, file, out;
  std::vector<std::string> several;
  double number = 1.5;
  int64_t count = 1;
  bool flag = false, grid = false, force = false;
  CLI::App app;
  CLI::App* verb = nullptr;

  explicit SampleVerb(std::vector<std::string> words) {
    verb = app.add_subcommand("generate");
    verb->add_option("prompt", prompt);
    begin_section(verb, "Sampling");
    add_option(verb, "--text,--alias", text, "");
    add_option(verb, "--number", number, "");
    verb->add_flag("--flag", flag);
    verb->add_option("--several", several)->allow_extra_args(false);
    add_file_option(verb, "--file", file, "");
    verb->add_option("-n,--count", count);
    verb->add_flag("--grid", grid);
    begin_section(verb, kOutputSection);
    verb->add_option("--out", out);
    verb->add_flag("--force", force);
    words.insert(words.begin(), "generate");
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 takes them from the back.
  }

  auto values() const { return std::tie(prompt, text, file, several, number, flag); }
};

// What repeat_recipe refuses.
std::string refused_repeat(SampleVerb& sample, const Recipe& recipe, ErrorKind kind) {
  try {
    repeat_recipe(*sample.verb, recipe, "a.png", {});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return {};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST(RecipeOptions, WhatWasTypedComesBack) {
  const std::string kWords[] = {"a b", "--x", "-1", "\u732b", "{}",    "[1,2]", "%%",
                                "'",   "\"",  "\\", "a,b",    "x:0.5", "true",  ""};
  for (uint64_t i = 0; i < 300; ++i) {
    Random random(3, "options", i);
    const auto word = [&] { return kWords[random.below(std::size(kWords))]; };
    std::vector<std::string> words;
    if (random.below(2) == 1) words.push_back("--text=" + word() + "y");
    if (random.below(2) == 1) words.push_back("--number=" + std::to_string(random.below(100)) + ".25");
    if (random.below(2) == 1) words.push_back("--flag");
    for (int64_t n = random.below(3); n > 0; --n) words.push_back("--several=" + word() + "z");
    if (random.below(2) == 1) words.insert(words.end(), {"--", "p" + word()});
    const SampleVerb first(words);
    const Recipe recipe{.options = typed_options(*first.verb)};
    SampleVerb again({"--out", "other.png"});
    repeat_recipe(*again.verb, recipe_from_json(recipe_to_json(recipe)), "a.png", {});
    EXPECT_EQ(again.values(), first.values()) << recipe_to_json(recipe);
    EXPECT_EQ(typed_options(*again.verb), recipe.options);
  }
}

TEST(RecipeOptions, TheCommandLineGoesFirst) {
  const SampleVerb first({"cat", "--text", "a", "--number", "2", "--several", "x"});
  SampleVerb again({"dog", "--alias", "b"});
  repeat_recipe(*again.verb, {.options = typed_options(*first.verb)}, "a.png", {});
  EXPECT_EQ(again.prompt, "dog");
  EXPECT_EQ(again.text, "b");
  EXPECT_EQ(again.number, 2);
  EXPECT_EQ(again.several, std::vector<std::string>{"x"});
}

TEST(RecipeOptions, OnlyAGridKeepsTheNumberOfPictures) {
  EXPECT_EQ(typed_options(*SampleVerb({"-n", "3", "--out", "x", "--force"}).verb), OptionPairs{});
  EXPECT_EQ(typed_options(*SampleVerb({"-n", "3", "--grid"}).verb),
            (OptionPairs{{"count", "3"}, {"grid", "true"}}));
}

TEST(RecipeOptions, APictureCannotSayWhereToWrite) {
  SampleVerb verb({});
  for (const auto* name : {"out", "force", "help"}) {
    EXPECT_TRUE(contains(refused_repeat(verb, {.options = {{name, "true"}}}, ErrorKind::kFormat),
                         std::string("--") + name + ", which a recipe may not set"));
  }
  EXPECT_TRUE(contains(refused_repeat(verb, {.options = {{"no\nsuch", "true"}}}, ErrorKind::kFormat),
                       "'no?such', which ldm generate does not have"));
  EXPECT_EQ(verb.out, "");
  EXPECT_FALSE(verb.force);
  EXPECT_TRUE(contains(refused_repeat(verb, {.options = {{"number", "many"}}}, ErrorKind::kFormat),
                       "the recipe does not fit: --number: expected a number, got 'many'"));
  SampleVerb other({});
  EXPECT_TRUE(contains(refused_repeat(other, {.options = {{"grid", "maybe"}}}, ErrorKind::kFormat),
                       "--grid: expected no value, or true or false, got 'maybe'"));
}

TEST(RecipeOptions, AGridsRecipeCountsWhatIsInIt) {
  const Recipe run{.options = {{"count", "8"}, {"grid", "true"}}};
  const std::vector<GeneratedImage> finished(3, {.image = make_image(4, 4, 3), .seed = 7});
  const auto recipe = grid_recipe(run, "cat", finished);  // The rest was stopped.
  EXPECT_EQ(recipe.options,
            (OptionPairs{{"count", "3"}, {"grid", "true"}, {"prompt", "cat"}, {"seed", "7"}}));
}

TEST(RecipeOptions, FilesHaveToBeTheSame) {
  const Scratch scratch;
  const std::string file = scratch / "a.safetensors";
  write_whole(file, "one");
  const SampleVerb first({"--file", file + ":0.5"});
  Recipe recipe{.options = typed_options(*first.verb)};
  recipe.files = hash_files(*first.verb, recipe.options);
  ASSERT_EQ(recipe.files.size(), 1u);
  EXPECT_EQ(recipe.files[0].first, file);
  SampleVerb same({});
  EXPECT_EQ(refused_repeat(same, recipe, ErrorKind::kData), "");
  EXPECT_EQ(same.file, file + ":0.5");
  write_whole(file, "two");
  SampleVerb changed({}), asked_for({"--file", file});
  EXPECT_TRUE(contains(refused_repeat(changed, recipe, ErrorKind::kData), "other contents now"));
  EXPECT_EQ(refused_repeat(asked_for, recipe, ErrorKind::kData), "");
  std::filesystem::remove(file);
  SampleVerb gone({});
  EXPECT_TRUE(contains(refused_repeat(gone, recipe, ErrorKind::kData), "which is not there"));
}

TEST(RecipeOptions, ReadsRecipesFromPngOnly) {
  const Scratch scratch;
  const auto refused = [](const std::string& file) -> std::string {
    try {
      read_recipe(file, {});
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  };
  write_whole(scratch / "a.txt", "Steps: 3");
  EXPECT_TRUE(contains(refused(scratch / "a.txt"), "expected a PNG picture"));
  write_png(scratch / "plain.png", make_image(4, 4, 3));
  EXPECT_TRUE(contains(refused(scratch / "plain.png"), "holds no recipe"));
  write_png(scratch / "any.png", make_image(4, 4, 3), {{"parameters", "hello world this is no recipe"}});
  EXPECT_TRUE(contains(refused(scratch / "any.png"), "holds no recipe"));
  write_png(scratch / "newer.png", make_image(4, 4, 3), {{"ldm", R"({"format": 99})"}});
  EXPECT_TRUE(contains(refused(scratch / "newer.png"), "its recipe is damaged: recipe: expected"));
  write_whole(scratch / "half.png", read_whole(scratch / "newer.png").substr(0, 70));
  EXPECT_TRUE(contains(refused(scratch / "half.png"), "half.png: "));
  EXPECT_FALSE(refused(scratch / "none.png").empty());
}

TEST(RecipeOptions, SaysWhenTheModelIsAnother) {
  const std::string hash(64, 'a');
  EXPECT_EQ(other_model({.model_hash = "aaaaaaaaaa"}, hash), "");
  EXPECT_EQ(other_model({}, hash), "");
  EXPECT_EQ(other_model({.model_hash = "aaaaaaaaaa"}, ""), "");
  EXPECT_TRUE(contains(other_model({.model_hash = "6ce0161689", .model = "v1-5"}, hash),
                       "'v1-5' of hash '6ce0161689', this one has aaaaaaaaaa"));
}

std::map<std::string, std::string> translated(const std::string& parameters,
                                              std::vector<std::string>* left_out = nullptr) {
  auto out = translate_recipe(parse_parameters(parameters));
  if (left_out != nullptr) *left_out = out.left_out;
  return {out.options.begin(), out.options.end()};
}

TEST(ForeignRecipe, ReadsAUTOMATIC1111) {
  std::vector<std::string> left_out;
  const auto o = translated(
      "a (cat:1.2)\nNegative prompt: dog\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: "
      "7.5, "
      "Seed: 965400086, Size: 512x768, Model hash: 6ce0161689, Model: v1-5, Clip skip: 2, Hires upscale: 2, "
      "Version: v1.10.1",
      &left_out);
  EXPECT_EQ(o, (std::map<std::string, std::string>{{"prompt", "a (cat:1.2)"},
                                                   {"negative", "dog"},
                                                   {"steps", "20"},
                                                   {"sampler", "DPM++ 2M"},
                                                   {"spacing", "karras"},
                                                   {"guidance", "7.5"},
                                                   {"seed", "965400086"},
                                                   {"size", "512x768"},
                                                   {"noise", "philox"},
                                                   {"clip-skip", "2"}}));
  EXPECT_EQ(left_out, std::vector<std::string>{"Hires upscale"});
}

TEST(ForeignRecipe, KnowsTheirNames) {
  const auto with = [](const std::string& sampler, const std::string& more = "") {
    return translated("x\nSteps: 20, Sampler: " + sampler + ", Seed: 1, CFG scale: 7" + more);
  };
  EXPECT_EQ(with("DPM++ 2M Karras").at("sampler"), "DPM++ 2M");
  EXPECT_EQ(with("DPM++ 2M Karras").at("spacing"), "karras");
  EXPECT_EQ(with("DPM++ 2M SDE Exponential").at("spacing"), "exponential");
  EXPECT_FALSE(with("Euler a").contains("spacing"));
  EXPECT_FALSE(with("Euler a", ", Schedule type: Automatic").contains("spacing"));
  EXPECT_EQ(with("Euler", ", Schedule type: Uniform").at("spacing"), "linspace");
  EXPECT_EQ(with("Euler", ", Schedule type: SGM Uniform").at("spacing"), "sgm_uniform");
  EXPECT_EQ(with("Euler", ", RNG: CPU").at("noise"), "cpu");
  EXPECT_EQ(with("Euler", ", RNG: NV").at("noise"), "philox");
}

TEST(ForeignRecipe, OurOwnTextAloneSuffices) {
  const Recipe ours{.prompt = "cat",
                    .steps = 4,
                    .sampler = "ddim",
                    .rng = "CPU",
                    .version = "ldm 1.0",
                    .options = {{"clip-skip", "2"}, {"guidance-rescale", "0.7"}, {"steps", "4"}}};
  const auto o = translated(to_parameters(ours));
  EXPECT_EQ(o.at("clip-skip"), "2");
  EXPECT_EQ(o.at("guidance-rescale"), "0.7");
  EXPECT_EQ(o.at("noise"), "cpu");
}

}  // namespace
}  // namespace ldm::cli
