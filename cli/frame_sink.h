#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "cli/output_files.h"
#include "cli/verb.h"
#include "ldm/image/image.h"

namespace ldm::cli {

// Where the frames of an animation go.
struct FrameFlags {
  std::string out, sheet, pictures;  // Animated WebP; all frames in one PNG; a folder of PNGs.
  double fps = 12;
  int64_t loop = 0;  // 0: for ever.
  int64_t quality = 90;
  bool ping_pong = false, force = false, json = false;
};

// The output section of a verb that makes frames.
void add_frame_options(CLI::App* verb, FrameFlags& flags);

// Takes finished frames in order: a folder's pictures are written at once, the rest at the end.
class FrameSink {
 public:
  // stem: of the animation's name, where neither it nor a sheet nor a folder is asked for. Throws kUsage for
  // names of another kind or that meet, numbers out of range, and files that are there.
  FrameSink(FrameFlags flags, const std::string& stem, int64_t frames);

  void take(const Image& frame);
  // The animation and the sheet of the frames so far, and what was written. Throws kData when there is none.
  nlohmann::ordered_json finish();

 private:
  std::filesystem::path picture_name(int64_t k) const;

  FrameFlags flags_;
  OutputFiles files_;
  int64_t expected_;
  std::vector<Image> frames_;
};

}  // namespace ldm::cli
