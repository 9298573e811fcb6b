#include "ldm/data/emoji.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/core/sha256.h"
#include "ldm/data/emoji_colour.h"
#include "ldm/data/folder_index.h"
#include "ldm/image/decode.h"
#include "ldm/io/json.h"
#include "tests/data/temp_folder.h"

namespace ldm {
namespace {

std::vector<Json> read_lines(const std::filesystem::path& folder) {
  std::vector<Json> out;
  std::string text = read_text(folder / "metadata.jsonl");
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    out.push_back(parse_json(as_bytes(std::string_view(text).substr(at, end - at)), "line"));
    at = end + 1;
  }
  return out;
}

// The whole set, made once for all tests of this file.
class EmojiSet : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!std::filesystem::exists(EmojiOptions().font)) return;
    folder_ = new TempFolder;
    report_ = make_emoji_set({}, folder_->path());
    lines_ = read_lines(folder_->path());
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  void SetUp() override {
    if (!folder_) GTEST_SKIP() << "no emoji font; apt-get install fonts-noto-color-emoji";
  }

  static inline TempFolder* folder_ = nullptr;
  static inline EmojiReport report_;
  static inline std::vector<Json> lines_;
};

TEST_F(EmojiSet, HasEveryConceptOnce) {
  EXPECT_EQ(report_.concepts, 1609);
  EXPECT_EQ(report_.tones, 1490);
  EXPECT_EQ(report_.named_by_cldr, 3068);
  EXPECT_EQ(report_.held_out, 80);
  EXPECT_GT(report_.colour_copies, 900);
  EXPECT_EQ(report_.pictures(), static_cast<int64_t>(lines_.size()));
  std::map<std::string, int> groups;
  for (const Json& line : lines_) groups[line["group"]] += line["kind"] == "plain";
  EXPECT_EQ(groups["People & Body"], 363);
  EXPECT_EQ(groups["Food & Drink"], 133);
  EXPECT_EQ(groups["Flags"], 8);
}

TEST_F(EmojiSet, HoldsOutTheSmallestChecksums) {
  std::map<std::string, int> splits;
  std::set<std::string> names;
  for (const Json& line : lines_) {
    const bool plain = line["kind"] == "plain", held_out = line["split"] == "heldout";
    if (plain && held_out) names.insert(line["text"]);
    if (plain) splits[line["split"]] += 1;
  }
  EXPECT_EQ(splits["heldout"], 80);
  EXPECT_EQ(splits["train"], 1529);
  for (const char* name : {"curling stone", "man shrugging", "glowing star", "rabbit", "garlic"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  // All variants follow their concept.
  for (const Json& line : lines_) {
    const std::string text = line["text"];
    const bool variant = text.starts_with("man shrugging: ") || text.ends_with(" glowing star");
    EXPECT_TRUE(!variant || line["split"] == "heldout") << text;
  }
}

TEST_F(EmojiSet, WeighsVariants) {
  std::map<std::string, double> kinds;
  double train = 0;
  for (const Json& line : lines_) {
    kinds[line["kind"]] += line["weight"].get<double>();
    if (line["split"] == "train") train += line["weight"].get<double>();
  }
  EXPECT_NEAR(kinds["plain"], 1609, 1e-6);
  EXPECT_NEAR(kinds["tone"], 0.3 * 298, 1e-6);
  EXPECT_NEAR(kinds["colour-copy"], 0.35 * static_cast<double>(report_.colour_copies), 1e-6);
  EXPECT_NEAR(report_.weight, train, 1e-6);
}

TEST_F(EmojiSet, NamesPicturesInWords) {
  std::map<std::string, Json> by_text;
  for (const Json& line : lines_) by_text[line["text"]] = line;
  EXPECT_EQ(by_text.at("pizza")["code_points"], "1f355");
  EXPECT_EQ(by_text.at("frog")["colour"], "green");
  EXPECT_TRUE(by_text.contains("waving hand: medium skin tone"));
  EXPECT_FALSE(by_text.contains("flag: Germany"));
  const Json keywords = by_text.at("pizza")["keywords"];
  EXPECT_NE(std::find(keywords.begin(), keywords.end(), "cheese"), keywords.end());
  EXPECT_NE(std::find(keywords.begin(), keywords.end(), "prepared"), keywords.end());  // Of the subgroup.
  for (const Json& line : lines_) EXPECT_EQ(line["style"], "noto");
}

TEST_F(EmojiSet, ColourCopiesHaveTheirColour) {
  int right = 0, all = 0;
  for (const Json& line : lines_) {
    if (line["kind"] != "colour-copy") continue;
    const std::string colour = line["colour"], text = line["text"];
    EXPECT_TRUE(text.starts_with(colour + " ")) << text;
    EXPECT_NE(line["group"], "People & Body");
    if (++all % 10 != 0) continue;
    const auto hue = dominant_hue(read_image(folder_->path() / line["file_name"].get<std::string>()));
    const auto wanted = std::find_if(colour_names().begin(), colour_names().end(),
                                     [&](const ColourName& name) { return name.name == colour; });
    ASSERT_NE(wanted, colour_names().end());
    right += hue && hue_distance(hue->hue, wanted->hue) < 10;
  }
  EXPECT_GT(right, all / 10 * 9 / 10);  // Nine in ten; small pictures may blur another way.
}

TEST_F(EmojiSet, PicturesAreSquareOnWhite) {
  const Image pizza = read_image(folder_->path() / "images/1f355.png");
  EXPECT_EQ(pizza.width, 64);
  EXPECT_EQ(pizza.height, 64);
  EXPECT_EQ(pizza.channels, 3);
  EXPECT_EQ(std::vector<uint8_t>(pizza.pixels.begin(), pizza.pixels.begin() + 3),
            (std::vector<uint8_t>{255, 255, 255}));
  EXPECT_LT(*std::min_element(pizza.pixels.begin(), pizza.pixels.end()), 100);
}

TEST_F(EmojiSet, ReadsBackAsAFolder) {
  const FolderIndex index = index_folder(folder_->path());
  EXPECT_EQ(static_cast<int64_t>(index.examples.size()), report_.pictures());
  EXPECT_TRUE(index.missing.empty());
}

TEST_F(EmojiSet, StopsWithoutMetadata) {
  const TempFolder out;
  const StopToken stop;
  const auto stop_soon = [&](const Progress& state) {
    EXPECT_EQ(state.total, 1609 + 1490);
    if (state.done == 3) stop.request();
  };
  const std::string error =
      error_of(ErrorKind::kData, [&] { make_emoji_set({}, out.path(), stop_soon, stop); });
  EXPECT_EQ(error, "make_emoji_set: stopped after 3 of 3099 pictures");
  EXPECT_FALSE(std::filesystem::exists(out.path() / "metadata.jsonl"));
}

TEST_F(EmojiSet, TheLargerPicturesBoxMeanIsTheSmaller) {
  const TempFolder out;
  EmojiOptions options;
  options.size = 128;
  const StopToken stop;
  const auto stop_soon = [&](const Progress& state) {
    if (state.done == 2) stop.request();
  };
  EXPECT_THROW(make_emoji_set(options, out.path(), stop_soon, stop), Error);
  const Image large = read_image(out.path() / "images/1f600.png");
  const Image small = read_image(folder_->path() / "images/1f600.png");
  ASSERT_EQ(large.width, 128);
  for (int64_t y = 0; y < 64; ++y) {
    for (int64_t i = 0; i < 64 * 3; ++i) {
      const int64_t x = i / 3 * 6 + i % 3;
      const int sum = large.row(2 * y)[x] + large.row(2 * y)[x + 3] + large.row(2 * y + 1)[x] +
                      large.row(2 * y + 1)[x + 3];
      ASSERT_EQ(small.row(y)[i], (sum + 2) / 4);
    }
  }
}

TEST(EmojiOptions, MissingFilesNameTheirPackage) {
  const TempFolder out;
  EmojiOptions options;
  options.font = out.string() + "/none.ttf";
  EXPECT_EQ(error_of(ErrorKind::kData, [&] { make_emoji_set(options, out.path()); }),
            "make_emoji_set: expected the font at " + options.font +
                ", found none; hint: apt-get install fonts-noto-color-emoji");
}

TEST(EmojiOptions, RefusesAFileThatIsNoFont) {
  const TempFolder out;
  out.write("x.ttf", "no font");
  EmojiOptions options;
  options.font = out.string() + "/x.ttf";
  EXPECT_TRUE(contains(error_of(ErrorKind::kFormat, [&] { make_emoji_set(options, out.path() / "set"); }),
                       "EmojiFont: expected a TrueType font"));
}

TEST(EmojiOptions, AreChecked) {
  const TempFolder out;
  const auto error = [&](const auto& change) {
    EmojiOptions options;
    change(options);
    return error_of(ErrorKind::kUsage, [&] { make_emoji_set(options, out.path()); });
  };
  EXPECT_TRUE(contains(error([](EmojiOptions& o) { o.size = 65; }), "a size of 64 or 128, got 65"));
  EXPECT_TRUE(contains(error([](EmojiOptions& o) { o.colour_copies = 7; }), "0 to 6 colour_copies, got 7"));
  EXPECT_TRUE(contains(error([](EmojiOptions& o) { o.tone_weight = 0; }), "positive weights, got 0"));
  EXPECT_TRUE(contains(error([](EmojiOptions& o) { o.held_out = -1; }), "held_out >= 0, got -1"));
}

}  // namespace
}  // namespace ldm
