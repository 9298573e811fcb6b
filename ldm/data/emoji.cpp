#include "ldm/data/emoji.h"

#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/data/captions.h"
#include "ldm/data/emoji_colour.h"
#include "ldm/data/emoji_font.h"
#include "ldm/data/emoji_plan.h"
#include "ldm/data/emoji_sources.h"
#include "ldm/image/png.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kStrike = 128;  // Side of the font's pictures after the empty columns are cut.
constexpr double kMinTurn = 40;   // Degrees between a picture's own hue and that of its copies.
constexpr double kBrightValue =
    0.72;  // Darker pictures are not turned to yellow or orange: that gives brown.

void check_options(const EmojiOptions& o) {
  check(o.size == 64 || o.size == 128, "make_emoji_set: expected a size of 64 or 128, got ", o.size);
  check(o.colour_copies >= 0 && o.colour_copies <= 6, "make_emoji_set: expected 0 to 6 colour_copies, got ",
        o.colour_copies);
  check(o.tone_weight > 0 && o.colour_weight > 0, "make_emoji_set: expected positive weights, got ",
        o.tone_weight, " and ", o.colour_weight);
  check(o.held_out >= 0, "make_emoji_set: expected held_out >= 0, got ", o.held_out);
}

// The mean of each 2x2 block, rounded to nearest.
Image half_size(const Image& in) {
  Image out = make_image(in.width / 2, in.height / 2, in.channels);
  for (int64_t y = 0; y < out.height; ++y) {
    const uint8_t* above = in.row(2 * y);
    const uint8_t* below = in.row(2 * y + 1);
    for (int64_t i = 0; i < out.stride(); ++i) {
      const int64_t left = i / out.channels * 2 * out.channels + i % out.channels,
                    right = left + out.channels;
      out.row(y)[i] = static_cast<uint8_t>((above[left] + above[right] + below[left] + below[right] + 2) / 4);
    }
  }
  return out;
}

// The colours for copies of a picture, in an order that its name decides.
std::vector<ColourName> copy_colours(const DominantHue& own, const std::string& hex) {
  std::vector<ColourName> out;
  for (const ColourName& colour : colour_names()) {
    const bool turns_brown = own.value < kBrightValue && (colour.name == "yellow" || colour.name == "orange");
    if (hue_distance(colour.hue, own.hue) >= kMinTurn && !turns_brown) out.push_back(colour);
  }
  const auto hash = crc32(0, reinterpret_cast<const Bytef*>(hex.data()), static_cast<uInt>(hex.size()));
  std::rotate(out.begin(), out.begin() + static_cast<int64_t>(hash % out.size()), out.end());
  return out;
}

// Draws and writes the set; one call of add() for each planned picture.
class EmojiWriter {
 public:
  EmojiWriter(const EmojiOptions& options, const fs::path& out, const EmojiFont& font)
      : options_(options), out_(out), font_(font) {}

  void add(const EmojiPicture& picture) {
    const Image image = draw(picture);
    const auto hue = dominant_hue(image);
    const std::string hex = hex_name(picture.entry.code_points);
    const std::string own = hue && !picture.tone ? std::string(colour_word(*hue)) : "";
    write(picture, image, hex, own, picture.tone ? "tone" : "plain");
    (picture.tone ? report_.tones : report_.concepts) += 1;
    report_.held_out += picture.held_out && !picture.tone;
    report_.named_by_cldr += picture.named_by_cldr;
    const bool recolour = picture.entry.group != "People & Body" && !names_a_colour(picture.words.name);
    if (hue && recolour) add_copies(picture, image, *hue, hex);
  }

  EmojiReport finish() {
    const auto bytes = std::as_bytes(std::span(metadata_));
    write_file_atomic(out_ / "metadata.jsonl", bytes);
    return report_;
  }

 private:
  // 128 x 128: the strike without its four empty columns on each side.
  Image draw(const EmojiPicture& picture) const {
    const Image strike = font_.draw(picture.entry.code_points);
    check(strike.width >= kStrike && strike.height == kStrike, ErrorKind::kData,
          "make_emoji_set: expected pictures of 136x128 in the font, got ", strike.width, "x", strike.height,
          "; hint: use NotoColorEmoji.ttf");
    return centre_crop(strike, kStrike, kStrike);
  }

  void add_copies(EmojiPicture picture, const Image& image, const DominantHue& own, const std::string& hex) {
    std::vector<ColourName> colours = copy_colours(own, hex);
    colours.resize(std::min(colours.size(), static_cast<size_t>(options_.colour_copies)));
    const std::string name = picture.words.name;
    for (const ColourName& colour : colours) {
      picture.weight = options_.colour_weight / static_cast<double>(colours.size());
      picture.words.name = std::string(colour.name) + " " + name;
      const Image copy = rotate_hue(image, colour.hue - own.hue);
      write(picture, copy, hex + "-" + std::string(colour.name), std::string(colour.name), "colour-copy");
      ++report_.colour_copies;
    }
  }

  void write(const EmojiPicture& picture, const Image& image, const std::string& stem,
             const std::string& colour, std::string_view kind) {
    const std::string file_name = "images/" + stem + ".png";
    const std::vector<std::byte> png = encode_png(options_.size == kStrike ? image : half_size(image));
    std::ofstream file(out_ / file_name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(png.data()), static_cast<std::streamsize>(png.size()));
    file.close();
    check(file.good(), ErrorKind::kData, "make_emoji_set: cannot write ", (out_ / file_name).string());
    nlohmann::ordered_json line = {{"file_name", file_name},
                                   {"text", picture.words.name},
                                   {"keywords", picture.words.keywords},
                                   {"group", picture.entry.group},
                                   {"class", picture.entry.subgroup},
                                   {"code_points", hex_name(picture.entry.code_points)},
                                   {"weight", picture.weight},
                                   {"split", picture.held_out ? "heldout" : "train"},
                                   {"colour", nullptr},
                                   {"style", "noto"},
                                   {"kind", kind}};
    if (!colour.empty()) line["colour"] = colour;
    metadata_ += line.dump() + "\n";
    if (!picture.held_out) report_.weight += picture.weight;
  }

  const EmojiOptions& options_;
  fs::path out_;
  const EmojiFont& font_;
  std::string metadata_;
  EmojiReport report_;
};

void prepare_folder(const fs::path& out) {
  std::error_code error;
  fs::create_directories(out / "images", error);
  check(!error, ErrorKind::kData, "make_emoji_set: cannot create ", (out / "images").string(), ": ",
        error.message());
  fs::remove(out / "metadata.jsonl", error);
}

}  // namespace

EmojiReport make_emoji_set(const EmojiOptions& options, const fs::path& out, const ProgressFn& progress,
                           const StopToken& stop) {
  check_options(options);
  const EmojiSources sources = read_emoji_sources(options, "make_emoji_set");
  const auto plan = plan_emoji(sources.entries, sources.cldr, options);

  prepare_folder(out);
  EmojiWriter writer(options, out, sources.font);
  for (size_t i = 0; i < plan.size(); ++i) {
    check(!stop.requested(), ErrorKind::kData, "make_emoji_set: stopped after ", i, " of ", plan.size(),
          " pictures");
    writer.add(plan[i]);
    if (progress)
      progress({"emoji", static_cast<int64_t>(i + 1), static_cast<int64_t>(plan.size()), {}, "images"});
  }
  return writer.finish();
}

}  // namespace ldm
