#include "ldm/data/picture_files.h"

#include <algorithm>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/core/sha256.h"
#include "ldm/image/decode.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

constexpr int64_t kMaxBrokenPictures = 100;

}  // namespace

PictureFiles::PictureFiles(std::filesystem::path folder, std::vector<ExampleInfo> examples)
    : folder_(std::move(folder)), examples_(std::move(examples)) {
  check(!examples_.empty(), ErrorKind::kData, "PictureFiles: expected pictures in ", folder_.string(),
        ", found none");
}

const ExampleInfo& PictureFiles::info(int64_t index) const {
  check(index >= 0 && index < size(), "PictureFiles: expected an index below ", size(), ", got ", index);
  return examples_[static_cast<size_t>(index)];
}

PictureFiles::Read PictureFiles::read(int64_t index) const {
  info(index);  // Refuses what lies outside.
  for (int64_t tries = 1;; ++tries, index = (index + 1) % size()) {
    try {
      return {index, to_rgb(read_image(folder_ / info(index).id))};
    } catch (const Error& error) {
      check(tries < std::min(size(), kMaxBrokenPictures), ErrorKind::kData, "PictureFiles: ", tries,
            " pictures in a row cannot be read; the last: ", error.what());
    }
  }
}

std::string PictureFiles::fingerprint(const std::string& settings) const {
  Sha256 hash;
  hash.update(as_bytes(settings + "\n"));
  for (const ExampleInfo& example : examples_) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(folder_ / example.id, error);
    hash.update(as_bytes(example.id + " " + (error ? "none" : std::to_string(bytes)) + "\n"));
  }
  return hash.hex();
}

}  // namespace ldm
