#include "cli/output.h"

#include <algorithm>
#include <cctype>

#include "ldm/core/error.h"
#include "ldm/image/jpeg.h"
#include "ldm/image/png.h"
#include "ldm/image/webp.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

bool names_folder(const std::string& out) {
  std::error_code ignored;
  return out.empty() || out.back() == '/' || fs::is_directory(out, ignored);
}

fs::path numbered(const fs::path& file, int64_t k) {
  return file.parent_path() / (file.stem().string() + "-" + std::to_string(k) + file.extension().string());
}

// A file is written under a longer name first.
void check_length(const fs::path& file) {
  constexpr size_t kLongest = 200;
  for (const auto& part : file) {
    check(part.native().size() <= kLongest, "--out: expected names of at most ", kLongest, " bytes, got ",
          part.native().size(), ": '", part.string().substr(0, 40), "...'");
  }
}

}  // namespace

OutputNames::OutputNames(const std::string& out, bool several, std::span<const std::string_view> fields)
    : pattern_(out.empty() ? "./" : out, fields),
      folder_(names_folder(out) || (several && lower_suffix(out).empty())) {
  if (folder_) return;
  const auto suffix = lower_suffix(out);
  check(suffix == ".png" || suffix == ".webp" || suffix == ".jpg" || suffix == ".jpeg",
        "--out: expected a name that ends in .png, .webp or .jpg, or a folder that ends in /, got '", out,
        "'");
  check(!several || pattern_.has_fields(),
        "--out: several prompts need a folder that ends in /, or a name with a field such as {n}; got '", out,
        "'");
}

fs::path OutputNames::next(const NameFields& fields, const std::string& stem) {
  fs::path file = pattern_.expand(fields);
  if (folder_) file /= stem + ".png";
  file = file.lexically_normal();
  check(file.has_stem() && file.has_extension(), "--out: expected a name before the suffix, got '",
        file.string(), "'");
  auto unique = file;
  auto& k = numbers_[file];
  while (!taken_.insert(unique).second) unique = numbered(file, ++k);
  check_length(unique);
  return unique;
}

std::string lower_suffix(const fs::path& file) {
  auto suffix = file.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return suffix;
}

bool is_lossy(const fs::path& file, int64_t quality) {
  const auto suffix = lower_suffix(file);
  return suffix != ".png" && (suffix != ".webp" || quality < 100);
}

std::vector<std::byte> picture_bytes(const fs::path& file, const Image& image, const PngText& text,
                                     int64_t quality) {
  const auto suffix = lower_suffix(file);
  if (suffix == ".webp")
    return encode_webp(image, static_cast<double>(quality), /*lossless=*/!is_lossy(file, quality));
  return suffix == ".png" ? encode_png(image, text) : encode_jpeg(image, quality);
}

}  // namespace ldm::cli
