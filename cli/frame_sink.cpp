#include "cli/frame_sink.h"

#include <algorithm>

#include "cli/output.h"
#include "ldm/core/error.h"
#include "ldm/image/grid.h"
#include "ldm/image/png.h"
#include "ldm/image/webp_animation.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

// There and back, without the two ends twice.
std::vector<Image> there_and_back(std::vector<Image> frames) {
  for (size_t k = frames.size(); k-- > 2;) frames.push_back(frames[k - 1]);
  return frames;
}

}  // namespace

void add_frame_options(CLI::App* verb, FrameFlags& flags) {
  verb->add_option("-o,--out", flags.out,
                   "animated .webp; without it, --sheet and --pictures a name made of the first prompt");
  verb->add_option("--sheet", flags.sheet, "all frames side by side in one .png");
  verb->add_option("--pictures", flags.pictures, "a folder for the frames as 000.png, 001.png, ...");
  add_option(verb, "--fps", flags.fps, "frames a second, 0.1 to 100");
  add_option(verb, "--loop", flags.loop, "how often the animation is shown; 0: for ever");
  verb->add_flag("--ping-pong", flags.ping_pong, "the animation goes back the way it came");
  add_option(verb, "--quality", flags.quality, "of the animation, 1 to 100; 100: lossless");
  verb->add_flag("--force", flags.force, "write over files that are there");
  verb->add_flag("--json", flags.json, "print the result as JSON");
}

FrameSink::FrameSink(FrameFlags flags, const std::string& stem, int64_t frames)
    : flags_(std::move(flags)), files_(flags_.force), expected_(frames) {
  if (flags_.out.empty() && flags_.sheet.empty() && flags_.pictures.empty()) flags_.out = stem + ".webp";
  check(flags_.out.empty() || lower_suffix(flags_.out) == ".webp",
        "--out: an animation is written as WebP; expected a name that ends in .webp, got '", flags_.out,
        "'; hint: --sheet makes a picture");
  check(flags_.sheet.empty() || lower_suffix(flags_.sheet) == ".png",
        "--sheet: expected a name that ends in .png, got '", flags_.sheet, "'");
  check(flags_.fps >= 0.1 && flags_.fps <= 100, "--fps: expected 0.1 to 100, got ", flags_.fps);
  check(flags_.loop >= 0 && flags_.loop <= 65535, "--loop: expected 0 to 65535, got ", flags_.loop);
  check(flags_.quality >= 1 && flags_.quality <= 100, "--quality: expected 1 to 100, got ", flags_.quality);
  if (!flags_.out.empty()) files_.plan(flags_.out, "--out");
  if (!flags_.sheet.empty()) files_.plan(flags_.sheet, "--sheet");
  for (int64_t k = 0; k < frames && !flags_.pictures.empty(); ++k) files_.plan(picture_name(k), "--pictures");
}

fs::path FrameSink::picture_name(int64_t k) const {
  const auto digits = std::max<size_t>(3, std::to_string(expected_ - 1).size());
  const auto number = std::to_string(k);
  return fs::path(flags_.pictures) /
         (std::string(digits - std::min(digits, number.size()), '0') + number + ".png");
}

void FrameSink::take(const Image& frame) {
  if (!flags_.pictures.empty())
    files_.write(picture_name(static_cast<int64_t>(frames_.size())), encode_png(frame));
  frames_.push_back(frame);
}

nlohmann::ordered_json FrameSink::finish() {
  check(!frames_.empty(), ErrorKind::kData, "interpolate: stopped before the first frame was finished");
  nlohmann::ordered_json out{{"frames", frames_.size()},
                             {"width", frames_[0].width},
                             {"height", frames_[0].height},
                             {"files", nlohmann::ordered_json::array()}};
  if (!flags_.sheet.empty()) {
    files_.write(flags_.sheet, encode_png(make_grid(frames_)));
    out["files"].push_back(flags_.sheet);
  }
  for (size_t k = 0; k < frames_.size() && !flags_.pictures.empty(); ++k)
    out["files"].push_back(picture_name(static_cast<int64_t>(k)).string());
  if (!flags_.out.empty()) {
    const auto shown = flags_.ping_pong ? there_and_back(std::move(frames_)) : std::move(frames_);
    files_.write(flags_.out, encode_webp_animation(shown, {.frames_per_s = flags_.fps,
                                                           .loops = flags_.loop,
                                                           .quality = static_cast<double>(flags_.quality)}));
    out["files"].push_back(flags_.out);
  }
  return out;
}

}  // namespace ldm::cli
