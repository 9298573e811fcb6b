#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/name_pattern.h"
#include "ldm/image/image.h"
#include "ldm/image/png_text.h"

namespace ldm::cli {

// The names of one run's pictures, one after the other.
class OutputNames {
 public:
  // out: a pattern (cli/name_pattern.h), a folder (ends in '/' or exists), or nothing: the current folder. In
  // a folder pictures are called after their prompt. `several`: prompts, which need a folder or fields;
  // `fields`: those that a pattern may have, empty for all.
  // Throws kUsage for another suffix than .png, .webp, .jpg and .jpeg.
  OutputNames(const std::string& out, bool several, std::span<const std::string_view> fields = {});

  // Whether names depend on the pictures' size.
  bool needs_size() const { return pattern_.uses("width") || pattern_.uses("height"); }

  // The next picture's name; `stem` is the name in a folder. What would meet an earlier name of this run gets
  // -1, -2, ... before its suffix. Throws kUsage for a name that is too long.
  std::filesystem::path next(const NameFields& fields, const std::string& stem);

 private:
  NamePattern pattern_;
  bool folder_ = false;  // The pattern is a folder's.
  std::set<std::filesystem::path> taken_;
  std::map<std::filesystem::path, int64_t> numbers_;  // The last k that a name got.
};

// What stands behind the last dot, with it, in lower case: ".png".
std::string lower_suffix(const std::filesystem::path& file);

// A picture in the format that the file's name ends in. `text` goes into PNG only; `quality`, 1 to 100, is
// that of JPEG and WebP, which keeps every pixel at 100.
std::vector<std::byte> picture_bytes(const std::filesystem::path& file, const Image& image,
                                     const PngText& text, int64_t quality);

// Whether that format changes pixels.
bool is_lossy(const std::filesystem::path& file, int64_t quality);

}  // namespace ldm::cli
