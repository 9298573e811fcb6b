#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "ldm/core/error.h"
#include "ldm/image/jpeg.h"
#include "ldm/image/png.h"
#include "ldm/image/webp.h"
#include "ldm/io/file.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

std::string lower_suffix(const fs::path& file) {
  auto suffix = file.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return suffix;
}

bool names_folder(const std::string& out) {
  std::error_code ignored;
  return out.empty() || out.back() == '/' || fs::is_directory(out, ignored);
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

OutputNames::OutputNames(const std::string& out, bool several)
    : pattern_(out.empty() ? "./" : out),
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
  const auto free = [&](const fs::path& name) { return !taken_.contains(name); };
  auto unique = file;
  for (int64_t k = 1; !free(unique); ++k) {
    unique =
        file.parent_path() / (file.stem().string() + "-" + std::to_string(k) + file.extension().string());
  }
  check_length(unique);
  taken_.insert(unique);
  return unique;
}

void refuse_existing(const std::vector<fs::path>& files, bool force) {
  for (const auto& file : files) {
    check(!fs::is_directory(file), file.string(), " is a folder; hint: a name that ends in .png");
    check(force || !fs::exists(file), file.string(),
          " is there already; hint: --force writes over it, -o gives another name");
  }
  std::set<fs::path> folders;
  for (const auto& file : files) folders.insert(file.parent_path());
  for (const auto& folder : folders) {
    std::error_code error;
    if (!folder.empty()) fs::create_directories(folder, error);
    check(!error, ErrorKind::kData, folder.string(), ": cannot make this folder: ", error.message());
    check(access(folder.empty() ? "." : folder.c_str(), W_OK) == 0, ErrorKind::kData,
          "no permission to write in ", folder.empty() ? "the current folder" : folder.string());
  }
}

void write_picture(const fs::path& file, const Image& image, const PngText& text, int64_t quality) {
  const auto suffix = lower_suffix(file);
  if (suffix == ".webp") return write_file_atomic(file, encode_webp(image, static_cast<double>(quality)));
  if (suffix == ".png") return write_file_atomic(file, encode_png(image, text));
  write_file_atomic(file, encode_jpeg(image, quality));
}

}  // namespace ldm::cli
