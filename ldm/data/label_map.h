#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/image/image.h"

namespace ldm {

// Which grey value of a label picture means what. Channel k of a map belongs to labels[k].
struct LabelTable {
  struct Label {
    int64_t value = 0;  // 0..255
    std::string name;
    bool operator==(const Label&) const = default;
  };
  std::vector<Label> labels;  // By value, ascending.

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

// A text file, one label a line: the value, blanks, the name ("7 grass"); empty lines and lines that begin
// with "#" count for nothing, nor does a byte order mark. Throws kFormat (with the line) for another form, a
// value above 255 or twice, and no label.
LabelTable parse_label_table(std::span<const std::byte> text, std::string_view what);
LabelTable read_label_table(const std::filesystem::path& path);
std::string write_label_table(const LabelTable& table);

// Throws kData, naming the pixel and what the table has, for a value that it does not have, unless `ignore`
// (a void value, e.g. 255) is that value. The message begins with `what`. Label maps are read by
// read_label_picture (image/label_picture.h).
void check_labels(const Image& labels, const LabelTable& table, std::string_view what, int64_t ignore = -1);

// One channel a label, 1 where the picture has its value: [K, height, width] float32; where it has `ignore`
// all are 0. The picture has one channel and is resized to nearest if its size is another. Throws kUsage for
// more channels, kData as check_labels does.
torch::Tensor one_hot_labels(const Image& labels, const LabelTable& table, int64_t width, int64_t height,
                             int64_t ignore = -1);

}  // namespace ldm
