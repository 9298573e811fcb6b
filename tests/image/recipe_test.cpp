#include "ldm/image/recipe.h"

#include "ldm/core/random.h"
#include "ldm/image/png.h"
#include "tests/image/fixtures.h"

namespace ldm {
namespace {

Recipe full() {
  Recipe r;
  r.prompt = "a slice of pizza, \"hot\"\nsecond line: caf\u00e9 \U0001F355";
  r.negative_prompt = "blurry, text";
  r.steps = 20;
  r.sampler = "Euler a";
  r.schedule = "Karras";
  r.cfg_scale = 7.5;
  r.seed = 18446744073709551615u;
  r.width = 512;
  r.height = 768;
  r.model_hash = "6ce0161689";
  r.model = "odd, name: \"x\" \\ y";
  r.denoising_strength = 0.7;
  r.eta = 0.0;
  r.rng = "CPU";
  r.version = "ldm.cpp 0.1.0";
  r.extra = {{"Clip skip", "2"}, {"Note", "one\ntwo"}};
  return r;
}

TEST(Recipe, WritesTheUsualText) {
  Recipe r;
  r.prompt = "a cat";
  r.negative_prompt = "dog";
  r.steps = 20;
  r.sampler = "DDIM";
  r.cfg_scale = 7;
  r.seed = 1;
  r.width = r.height = 64;
  r.model_hash = "0123456789";
  r.model = "emoji";
  r.version = "v1";
  EXPECT_EQ(to_parameters(r),
            "a cat\nNegative prompt: dog\nSteps: 20, Sampler: DDIM, CFG scale: 7, Seed: 1, Size: 64x64, "
            "Model hash: 0123456789, Model: emoji, Version: v1");
}

TEST(Recipe, RoundTripInBothForms) {
  EXPECT_EQ(parse_parameters(to_parameters(full())), full());
  EXPECT_EQ(recipe_from_json(recipe_to_json(full())), full());
  EXPECT_EQ(recipe_from_json(recipe_to_json({})), Recipe{});
}

TEST(Recipe, JsonKeepsWhatTheTextCannot) {
  Recipe r = full();
  r.prompt = "  Negative prompt: not one\nSteps: 1, Seed: 2, Size: 3x4  ";
  EXPECT_NE(parse_parameters(to_parameters(r)), r);
  EXPECT_EQ(recipe_from_json(recipe_to_json(r)), r);
}

TEST(Recipe, ReadsTextOfOtherPrograms) {
  const Recipe r = parse_parameters(
      "masterpiece, (cat:1.2)\nNegative prompt: bad\nhands\nSteps: 20, Sampler: DPM++ 2M, Schedule type: "
      "Karras, CFG "
      "scale: 7, Seed: 965400086, Size: 512x512, Model hash: 6ce0161689, Lora hashes: \"a: 1, b: 2\", "
      "Version: v1.10.1");
  EXPECT_EQ(r.prompt, "masterpiece, (cat:1.2)");
  EXPECT_EQ(r.negative_prompt, "bad\nhands");
  EXPECT_EQ(r.sampler, "DPM++ 2M");
  EXPECT_EQ(r.seed, 965400086u);
  EXPECT_EQ(r.width, 512);
  EXPECT_EQ(r.extra, (std::vector<std::pair<std::string, std::string>>{{"Lora hashes", "a: 1, b: 2"}}));
}

TEST(Recipe, FewSettingsAreStillPrompt) {
  EXPECT_EQ(parse_parameters("time: noon, place: here").prompt, "time: noon, place: here");
  EXPECT_EQ(parse_parameters(""), Recipe{});
  EXPECT_EQ(parse_parameters("\r\n a \r\n").prompt, "a");
}

TEST(Recipe, NumbersThatAreNoneGoToExtra) {
  const Recipe r = parse_parameters("x\nSteps: many, Seed: -1, Size: 0x9999999999999, Eta: 1");
  EXPECT_FALSE(r.steps || r.seed);
  EXPECT_EQ(r.width, 0);
  EXPECT_EQ(r.extra.size(), 3u);
  EXPECT_EQ(r.eta, 1.0);
}

TEST(Recipe, RefusesBrokenJson) {
  for (const char* bad :
       {"", "[]", "{}", "{\"format\":2}", "{\"format\":1,\"steps\":\"x\"}", "{\"format\":1,\"prompt\":3}",
        "{\"format\":1,\"extra\":[[]]}", "{\"format\":1,\"seed\":-1}", "{\"format\":1,\"extra\":7}"}) {
    test::expect_error(ErrorKind::kFormat, "recipe", [&] { recipe_from_json(bad); });
  }
  test::expect_error(ErrorKind::kUsage, "", [] { recipe_to_json({.prompt = "\xff"}); });
  EXPECT_EQ(recipe_from_json("{\"format\":1,\"new\":[1]}").extra.at(0),
            std::pair(std::string("new"), std::string("[1]")));
}

TEST(Recipe, TravelsInAPng) {
  const auto text = read_png_text(encode_png(test::pattern(), recipe_text(full())));
  EXPECT_EQ(find_recipe(text), full());
  EXPECT_EQ(find_recipe({{"ldm", "broken"}, {"parameters", to_parameters(full())}}), full());
  EXPECT_EQ(find_recipe({{"Title", "x"}}), std::nullopt);
  EXPECT_EQ(find_recipe({{"parameters", "hello world this is no recipe"}}), std::nullopt);
  EXPECT_EQ(find_recipe({{"parameters", "a cat\nTime: noon, Place: here, Mood: good"}}), std::nullopt);
}

TEST(Recipe, SaysWhatIsDamaged) {
  std::string damage = "of before";
  EXPECT_TRUE(find_recipe({{"ldm", recipe_to_json(full())}}, &damage));
  EXPECT_EQ(damage, "");
  EXPECT_FALSE(find_recipe({{"ldm", "{\"format\":99}"}}, &damage));
  EXPECT_NE(damage.find("format"), damage.npos) << damage;
  EXPECT_TRUE(find_recipe({{"ldm", "[1, 2"}, {"parameters", to_parameters(full())}}, &damage));
  EXPECT_NE(damage, "") << "the other form stands in, and that is not kept secret";
}

// Prompts and values from a small alphabet of troublemakers; outer spaces are cut by the format itself.
TEST(Recipe, RandomTextRoundTrip) {
  const std::string kLetters[] = {"a",      "B",      ",", ":", "\"", "\\", "{",
                                  "\u00e9", "\u732b", "/", "3", "x",  "."};
  for (uint64_t i = 0; i < 2000; ++i) {
    Random random(7, "recipe", i);
    const auto word = [&] {
      std::string out;
      for (int64_t n = 1 + random.below(12); n > 0; --n) out += kLetters[random.below(std::size(kLetters))];
      return out;
    };
    Recipe r = full();
    r.prompt = word();
    r.negative_prompt = word() + "\n" + word();
    r.sampler = word();
    r.model = word();
    r.extra = {{"Key one", word()}};
    ASSERT_EQ(parse_parameters(to_parameters(r)), r) << to_parameters(r);
    ASSERT_EQ(recipe_from_json(recipe_to_json(r)), r);
    parse_parameters(word() + "\n" + word() + word() + word());
  }
}

}  // namespace
}  // namespace ldm
