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

Image read_for_first_stage(const fs::path& file, int64_t factor, int64_t size) {
  check(size >= 0 && size % factor == 0, "--size: expected a multiple of ", factor, " pixels, got ", size);
  const auto image = to_rgb(read_image(file));
  if (size > 0) return resize(centre_crop_square(image), size, size, Filter::kBicubic);
  const auto width = image.width / factor * factor, height = image.height / factor * factor;
  check(width > 0 && height > 0, ErrorKind::kData, file.string(), ": expected at least ", factor, "x", factor,
        " pixels, got ", image.width, "x", image.height);
  return centre_crop(image, width, height);
}

}  // namespace ldm::cli
