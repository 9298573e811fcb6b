#include "ldm/data/label_map.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "ldm/core/error.h"
#include "ldm/core/utf8.h"
#include "ldm/image/resize_cv.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

constexpr uint64_t kMaxTableBytes = 1 << 20;

std::string_view without_blanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The channel of each value, -1 for those that the table does not have.
std::array<int64_t, 256> channels_of(const LabelTable& table) {
  check(!table.labels.empty(), "label table: expected labels, got none");
  std::array<int64_t, 256> channels;
  channels.fill(-1);
  for (size_t k = 0; k < table.labels.size(); ++k) {
    const int64_t value = table.labels[k].value;
    check(value >= 0 && value <= 255, "label table: expected values of 0 to 255, got ", value);
    channels[static_cast<size_t>(value)] = static_cast<int64_t>(k);
  }
  return channels;
}

}  // namespace

LabelTable parse_label_table(std::span<const std::byte> text, std::string_view what) {
  LabelTable table;
  std::string_view rest = without_byte_order_mark(as_text(text));
  for (int64_t line = 1; !rest.empty(); ++line) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view entry = without_blanks(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (entry.empty() || entry.front() == '#') continue;
    int64_t value = -1;
    const auto [stop, error] = std::from_chars(entry.data(), entry.data() + entry.size(), value);
    const std::string_view name = without_blanks(entry.substr(static_cast<size_t>(stop - entry.data())));
    const bool separated = stop < entry.data() + entry.size() && (*stop == ' ' || *stop == '\t');
    check(error == std::errc() && value >= 0 && value <= 255 && separated && !name.empty(),
          ErrorKind::kFormat, what, ":", line, ": expected a value of 0 to 255 and a name, as in '7 grass'");
    table.labels.push_back({value, std::string(name)});
  }
  check(!table.labels.empty(), ErrorKind::kFormat, what, ": expected labels, got none");
  std::sort(table.labels.begin(), table.labels.end(),
            [](const auto& a, const auto& b) { return a.value < b.value; });
  for (size_t i = 1; i < table.labels.size(); ++i) {
    check(table.labels[i].value != table.labels[i - 1].value, ErrorKind::kFormat, what,
          ": expected each value once, got ", table.labels[i].value, " twice");
  }
  return table;
}

LabelTable read_label_table(const std::filesystem::path& path) {
  return parse_label_table(as_bytes(read_text(path, kMaxTableBytes)), path.string());
}

std::string write_label_table(const LabelTable& table) {
  std::string out;
  for (const auto& label : table.labels) out += std::to_string(label.value) + " " + label.name + "\n";
  return out;
}

void check_labels(const Image& labels, const LabelTable& table, std::string_view what, int64_t ignore) {
  check(labels.channels == 1, what, ": expected a label map of one channel, got ", labels.channels);
  const auto channels = channels_of(table);
  for (int64_t i = 0; i < labels.width * labels.height; ++i) {
    const uint8_t value = labels.pixels[static_cast<size_t>(i)];
    if (channels[value] >= 0 || value == ignore) continue;
    fail(ErrorKind::kData, what, ": pixel ", i % labels.width, ",", i / labels.width,
         ": expected one of the ", table.size(), " values of the label table, from ",
         table.labels.front().value, " to ", table.labels.back().value, ", got ", int{value});
  }
}

torch::Tensor one_hot_labels(const Image& labels, const LabelTable& table, int64_t width, int64_t height,
                             int64_t ignore) {
  check_labels(labels, table, "label map", ignore);
  const Image image = resize_cv(labels, width, height, CvFilter::kNearest);
  const auto channels = channels_of(table);
  torch::Tensor out = at::zeros({table.size(), height, width}, at::kFloat);
  float* planes = out.mutable_data_ptr<float>();
  for (int64_t i = 0; i < width * height; ++i) {
    const int64_t channel = channels[image.pixels[static_cast<size_t>(i)]];
    if (channel >= 0) planes[channel * width * height + i] = 1.0F;
  }
  return out;
}

}  // namespace ldm
