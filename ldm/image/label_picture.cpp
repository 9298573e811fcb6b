#include "ldm/image/label_picture.h"

#include "ldm/core/error.h"
#include "ldm/image/decode.h"
#include "ldm/image/png.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

// sample(x, y, channel): what the file stores there.
template <typename Sample>
Image labels_of(int64_t width, int64_t height, bool colour, Sample sample) {
  auto out = make_image(width, height, 1);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const int value = sample(x, y, 0);
      check(!colour || (sample(x, y, 1) == value && sample(x, y, 2) == value), ErrorKind::kData, "pixel ", x,
            ",", y,
            ": expected a number of a label, got a colour; hint: save the map as grey or with a palette");
      check(value <= 255, ErrorKind::kData, "pixel ", x, ",", y, ": expected a label of 0 to 255, got ",
            value);
      out.row(y)[x] = static_cast<uint8_t>(value);
    }
  }
  return out;
}

}  // namespace

Image decode_label_picture(std::span<const std::byte> bytes, const ImageLimits& limits) {
  if (sniff_image(bytes) == ImageFormat::kPng) {
    check_encoded_size(static_cast<int64_t>(bytes.size()), limits);
    const auto png = decode_png_samples(bytes, limits);
    const auto labels = labels_of(png.width, png.height, png.channels == 3,
                                  [&](int64_t x, int64_t y, int64_t c) { return png.at(x, y, c); });
    return png.orientation == 1 ? labels : apply_orientation(labels, png.orientation);
  }
  const auto image = decode_image(bytes, limits);
  return labels_of(image.width, image.height, image.channels > 1, [&](int64_t x, int64_t y, int64_t c) {
    return int{image.row(y)[x * image.channels + c]};
  });
}

Image read_label_picture(const std::filesystem::path& path, const ImageLimits& limits) {
  const auto bytes = read_file(path, static_cast<uint64_t>(limits.max_bytes));
  try {
    return decode_label_picture(bytes, limits);
  } catch (const Error& error) {
    fail(error.kind(), path.string(), ": ", error.what());
  }
}

}  // namespace ldm
