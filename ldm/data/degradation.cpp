#include "ldm/data/degradation.h"

#include <algorithm>

#include "ldm/core/error.h"
#include "ldm/core/names.h"
#include "ldm/data/bsrgan.h"
#include "ldm/data/preparation.h"

namespace ldm {
namespace {

// torchvision's resize to a shorter side: the longer one is rounded down.
Image pillow_smallest_side(const Image& image, int64_t size, Filter filter) {
  const int64_t shorter = std::min(image.width, image.height);
  const auto scaled = [&](int64_t side) { return side == shorter ? size : size * side / shorter; };
  return resize(image, scaled(image.width), scaled(image.height), filter);
}

}  // namespace

const std::vector<std::string>& degradation_names() {
  static const std::vector<std::string> kNames = {
      "cv_nearest",  "cv_bilinear", "cv_bicubic",  "cv_area",     "cv_lanczos", "pil_nearest", "pil_bilinear",
      "pil_bicubic", "pil_box",     "pil_hamming", "pil_lanczos", "bsrgan",     "bsrgan_light"};
  return kNames;
}

void check_degradation(std::string_view name) {
  const auto& names = degradation_names();
  check(std::find(names.begin(), names.end(), name) != names.end(), "degrade: expected one of ",
        join_names(names), ", got '", name, "'", nearest_hint(name, names));
}

Image degrade(const Image& image, std::string_view name, int64_t factor, Random random) {
  check_degradation(name);
  check_image(image, "degrade");
  check(factor >= 1 && image.channels == 3 && image.width >= factor && image.height >= factor,
        "degrade: expected an RGB picture of at least ", factor, "x", factor, ", got ", image.width, "x",
        image.height, " with ", image.channels, " channels");
  if (name == "bsrgan") return degrade_bsrgan(image, factor, BsrganKind::kFull, random);
  if (name == "bsrgan_light") return degrade_bsrgan(image, factor, BsrganKind::kLight, random);
  const int64_t size = std::min(image.width, image.height) / factor;
  if (name.starts_with("cv_")) return resize_smallest_side(image, size, parse_cv_filter(name.substr(3)));
  return pillow_smallest_side(image, size, parse_filter(name.substr(4)));
}

}  // namespace ldm
