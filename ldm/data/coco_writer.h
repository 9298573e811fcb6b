#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "ldm/data/coco.h"
#include "ldm/image/image.h"

namespace ldm {

// COCO's uncompressed run lengths of the pixels of one value: column by column from the left, top to bottom,
// how many are not, are, are not …; the first number may be 0.
std::vector<int64_t> run_lengths(const Image& grey, uint8_t value);

// Collects pictures and what is in them and writes the two files of a split as COCO has them
// (https://cocodataset.org/#format-data): instances (boxes, masks as run lengths, categories) and captions.
class CocoWriter {
 public:
  explicit CocoWriter(std::string description);

  void add_category(const CocoCategory& category);
  void add_image(int64_t id, const std::string& file_name, int64_t width, int64_t height);
  // A thing of picture `image`: its box in pixels, its visible pixels, its mask.
  void add_object(int64_t image, int64_t category, std::span<const int64_t, 4> box, int64_t area,
                  const std::vector<int64_t>& runs);
  void add_caption(int64_t image, const std::string& caption);

  // Files that appear complete or not at all. Throw kData from the disk.
  void write_instances(const std::filesystem::path& path) const;
  void write_captions(const std::filesystem::path& path) const;

 private:
  using Ordered = nlohmann::ordered_json;
  Ordered document(const Ordered& annotations) const;

  std::string description_;
  Ordered images_ = Ordered::array(), objects_ = Ordered::array(), captions_ = Ordered::array(),
          categories_ = Ordered::array();
};

}  // namespace ldm
