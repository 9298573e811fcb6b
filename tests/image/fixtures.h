#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/image/image.h"
#include "ldm/io/file.h"

namespace ldm::test {

inline std::filesystem::path fixture_path(const std::string& name) {
  const char* source = std::getenv("LDM_SOURCE_DIR");
  return std::filesystem::path(source ? source : ".") / "tests/image/data" / name;
}

inline std::vector<std::byte> fixture(const std::string& name) {
  return read_file(fixture_path(name), 1 << 20);
}

// What the lossless fixtures show: 24x16, red 10 x, green 15 y, blue x y.
inline Image pattern() {
  Image image = make_image(24, 16, 3);
  for (int64_t y = 0; y < 16; ++y) {
    for (int64_t x = 0; x < 24; ++x) {
      uint8_t* p = image.row(y) + 3 * x;
      p[0] = static_cast<uint8_t>(x * 10);
      p[1] = static_cast<uint8_t>(y * 15);
      p[2] = static_cast<uint8_t>(x * y);
    }
  }
  return image;
}

// The pattern with alpha 6 (x + y).
inline Image pattern_rgba() {
  const Image rgb = pattern();
  Image image = make_image(24, 16, 4);
  for (int64_t y = 0; y < 16; ++y) {
    for (int64_t x = 0; x < 24; ++x) {
      for (int64_t c = 0; c < 3; ++c) image.row(y)[4 * x + c] = rgb.row(y)[3 * x + c];
      image.row(y)[4 * x + 3] = static_cast<uint8_t>(6 * (x + y));
    }
  }
  return image;
}

// What the lossy fixtures show: red 10 x, green 15 y, blue 255 - 5 x - 4 y.
inline Image smooth() {
  Image image = pattern();
  for (int64_t y = 0; y < 16; ++y) {
    for (int64_t x = 0; x < 24; ++x) image.row(y)[3 * x + 2] = static_cast<uint8_t>(255 - 5 * x - 4 * y);
  }
  return image;
}

// The largest difference of two pictures, 256 if their shapes differ.
inline int difference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height || a.channels != b.channels) return 256;
  int most = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) most = std::max(most, std::abs(a.pixels[i] - b.pixels[i]));
  return most;
}

// The error that `act` throws must be of this kind and contain the text.
inline void expect_error(ErrorKind kind, const std::string& text, const std::function<void()>& act) {
  try {
    act();
    ADD_FAILURE() << "expected an error with '" << text << "'";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

}  // namespace ldm::test
