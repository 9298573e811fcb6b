#include "cli/images_in.h"

#include <algorithm>

#include "ldm/core/error.h"
#include "ldm/image/decode.h"
#include "ldm/image/resample.h"

namespace ldm::cli {

namespace fs = std::filesystem;

std::vector<fs::path> picture_files(const std::string& argument) {
  check(fs::exists(argument), ErrorKind::kData, argument, ": no such file or folder");
  if (!fs::is_directory(argument)) return {argument};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(argument)) {
    auto suffix = entry.path().extension().string();
    std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    if (suffix == ".png" || suffix == ".jpg" || suffix == ".jpeg" || suffix == ".webp")
      files.push_back(entry.path());
  }
  check(!files.empty(), ErrorKind::kData, argument,
        ": no pictures (.png, .jpg, .jpeg, .webp) in this folder");
  std::sort(files.begin(), files.end());
  return files;
}

Image read_for_first_stage(const fs::path& file, int64_t size) {
  check(size >= 0, "--size: expected pixels, or 0 to leave the size, got ", size);
  auto image = to_rgb(read_image(file));
  return size > 0 ? resize(centre_crop_square(image), size, size, Filter::kBicubic) : image;
}

}  // namespace ldm::cli
