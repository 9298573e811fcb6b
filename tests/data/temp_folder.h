#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>

#include "ldm/core/error.h"
#include "ldm/image/image.h"
#include "ldm/image/png.h"
#include "ldm/io/file.h"

namespace ldm {

// A folder of its own for a test, removed at the end.
class TempFolder {
 public:
  TempFolder() {
    path_ =
        std::filesystem::temp_directory_path() / ("ldm-data-test-" + std::to_string(std::random_device()()));
    std::filesystem::create_directories(path_);
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::filesystem::path path() const { return path_; }
  std::string string() const { return path_.string(); }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
  }

  // A PNG of one colour.
  void write_png(const std::string& name, int64_t width, int64_t height, Rgb colour) const {
    Image image = make_image(width, height, 3);
    for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = colour[i % 3];
    write(name, std::string(as_text(encode_png(image))));
  }

 private:
  std::filesystem::path path_;
};

// The error that `work` throws: its text, after checking its kind.
inline std::string error_of(ErrorKind kind, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(kind)) << error.what();
    return error.what();
  }
  return "nothing thrown";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace ldm
