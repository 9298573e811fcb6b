#include "cli/output.h"

#include <cctype>

#include "ldm/core/error.h"

namespace ldm::cli {

namespace fs = std::filesystem;

std::string slug(std::string_view prompt, int64_t label) {
  constexpr size_t kLongest = 60;
  std::string out;
  for (const char c : prompt) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      out += static_cast<char>(std::tolower(byte));
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
    if (out.size() >= kLongest) break;
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  if (!out.empty()) return out;
  return label >= 0 ? "class-" + std::to_string(label) : "image";
}

std::vector<fs::path> output_names(const std::string& out, const std::string& stem, int64_t count,
                                   bool grid) {
  fs::path file = out.empty() ? fs::path(stem + ".png") : fs::path(out);
  std::error_code ignored;
  if (!out.empty() && (out.back() == '/' || fs::is_directory(file, ignored))) file /= stem + ".png";
  check(file.extension() == ".png",
        "--out: pictures are written as PNG; expected a name that ends in .png or a folder that ends in /, "
        "got '",
        out, "'");
  std::vector<fs::path> names{file};
  for (int64_t k = 1; k < count && !grid; ++k) {
    names.push_back(file.parent_path() / (file.stem().string() + "-" + std::to_string(k) + ".png"));
  }
  return names;
}

void refuse_existing(const std::vector<fs::path>& files, bool force) {
  for (const auto& file : files) {
    check(force || !fs::exists(file), file.string(),
          " is there already; hint: --force writes over it, -o gives another name");
  }
  if (!files.empty() && files[0].has_parent_path()) fs::create_directories(files[0].parent_path());
}

}  // namespace ldm::cli
