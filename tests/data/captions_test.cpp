#include "ldm/data/captions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

const CaptionWords kFrog = {
    "frog face", {"animal", "pond", "water", "amphibian", "nature", "jump"}, "green", "noto"};

// Fraction of 20,000 draws that fit; its standard deviation is at most 0.0035.
double frequency(const CaptionWords& words, const CaptionOptions& options,
                 const std::function<bool(const std::string&)>& fits) {
  int count = 0;
  for (uint64_t i = 0; i < 20000; ++i)
    count += fits(draw_caption(words, options, Random(1, "caption", 0, i)));
  return count / 20000.0;
}

TEST(Captions, FormsComeAsOftenAsAsked) {
  CaptionOptions options;
  options.dropout = options.colour = options.style = 0;
  EXPECT_NEAR(frequency(kFrog, options, [](const auto& c) { return c == "frog face"; }), 0.6, 0.015);
  EXPECT_NEAR(frequency(kFrog, options, [](const auto& c) { return c.starts_with("frog face, "); }), 0.25,
              0.015);
  EXPECT_NEAR(frequency(kFrog, options, [](const auto& c) { return !c.starts_with("frog"); }), 0.15, 0.015);
}

TEST(Captions, ExtrasComeAsOftenAsAsked) {
  const CaptionOptions options;
  const double kept = 1 - options.dropout;
  EXPECT_NEAR(frequency(kFrog, options, [](const auto& c) { return c.empty(); }), 0.1, 0.015);
  EXPECT_NEAR(frequency(kFrog, options, [](const auto& c) { return c.ends_with(", noto"); }), 0.8 * kept,
              0.015);
  EXPECT_NEAR(frequency(kFrog, options, [](const auto& c) { return c.starts_with("green frog face"); }),
              0.15 * 0.85 * kept, 0.015);
}

TEST(Captions, KeywordsAreDifferentAndFewEnough) {
  CaptionOptions options;
  options.text_only = options.text_keywords = options.dropout = options.style = 0;
  std::set<int64_t> counts;
  for (uint64_t i = 0; i < 500; ++i) {
    const std::string caption = draw_caption(kFrog, options, Random(1, "caption", 0, i));
    std::set<std::string> words;
    int64_t parts = 0;
    for (size_t at = 0; at <= caption.size(); ++parts) {
      const size_t end = std::min(caption.find(", ", at), caption.size());
      words.insert(caption.substr(at, end - at));
      at = end + 2;
    }
    EXPECT_EQ(parts, static_cast<int64_t>(words.size())) << caption;
    counts.insert(parts);
  }
  EXPECT_EQ(counts, (std::set<int64_t>{2, 3, 4, 5}));
}

TEST(Captions, PlainDataGivesItsTextOrNothing) {
  const CaptionWords words = {"a photo of a dog", {}, "", ""};
  const CaptionOptions options;
  EXPECT_NEAR(frequency(words, options, [](const auto& c) { return c == "a photo of a dog"; }), 0.9, 0.015);
  EXPECT_NEAR(frequency(words, options, [](const auto& c) { return c.empty(); }), 0.1, 0.015);
  EXPECT_EQ(plain_caption(words), "a photo of a dog");
  EXPECT_EQ(plain_caption(kFrog), "frog face, noto");
}

TEST(Captions, NoSecondColour) {
  EXPECT_TRUE(names_a_colour("green heart"));
  EXPECT_TRUE(names_a_colour("man: red hair"));
  EXPECT_FALSE(names_a_colour("credit card"));
  CaptionWords heart = kFrog;
  heart.text = "black heart";
  CaptionOptions options;
  options.colour = 1;
  EXPECT_EQ(frequency(heart, options, [](const auto& c) { return c.starts_with("green"); }), 0);
}

TEST(Captions, AreAFunctionOfTheDraw) {
  const CaptionOptions options;
  std::set<std::string> seen;
  for (uint64_t i = 0; i < 50; ++i) {
    const std::string caption = draw_caption(kFrog, options, Random(5, "caption", 7, i));
    EXPECT_EQ(caption, draw_caption(kFrog, options, Random(5, "caption", 7, i)));
    seen.insert(caption);
  }
  EXPECT_GT(seen.size(), 5U);
}

TEST(Captions, ProbabilitiesAreChecked) {
  CaptionOptions options;
  options.dropout = 1.5;
  EXPECT_EQ(error_of(ErrorKind::kUsage, [&] { check_caption_options(options); }),
            "captions: expected dropout in [0, 1], got 1.5");
  options = {};
  options.text_only = options.text_keywords = 0.6;
  EXPECT_TRUE(contains(error_of(ErrorKind::kUsage, [&] { check_caption_options(options); }),
                       "text_only + text_keywords"));
}

}  // namespace
}  // namespace ldm
