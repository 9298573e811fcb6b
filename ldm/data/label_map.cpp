#include "ldm/data/label_map.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "ldm/core/error.h"
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

}  // namespace

LabelTable parse_label_table(std::span<const std::byte> text, std::string_view what) {
  LabelTable table;
  std::string_view rest = as_text(text);
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

torch::Tensor one_hot_labels(const Image& labels, const LabelTable& table, int64_t width, int64_t height,
                             int64_t ignore) {
  const Image image = resize_cv(labels, width, height, CvFilter::kNearest);
  std::array<int64_t, 256> channels;
  channels.fill(-1);
  for (size_t k = 0; k < table.labels.size(); ++k) {
    const int64_t value = table.labels[k].value;
    check(value >= 0 && value <= 255, "one_hot_labels: expected values of 0 to 255 in the table, got ",
          value);
    channels[static_cast<size_t>(value)] = static_cast<int64_t>(k);
  }
  torch::Tensor out = at::zeros({table.size(), height, width}, at::kFloat);
  float* planes = out.mutable_data_ptr<float>();
  for (int64_t i = 0; i < width * height; ++i) {
    const uint8_t value = image.pixels[static_cast<size_t>(i * image.channels)];
    const int64_t channel = channels[value];
    check(channel >= 0 || value == ignore, ErrorKind::kData,
          "one_hot_labels: expected values of the label table, got ", int{value},
          "; hint: name it in the table, or as the value to ignore");
    if (channel >= 0) planes[channel * width * height + i] = 1.0F;
  }
  return out;
}

}  // namespace ldm
