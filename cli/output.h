#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "cli/name_pattern.h"
#include "ldm/image/image.h"
#include "ldm/image/png_text.h"

namespace ldm::cli {

// The names of one run's pictures, one after the other.
class OutputNames {
 public:
  // out: a pattern (cli/name_pattern.h), a folder (ends in '/' or exists), or nothing: the current folder. In
  // a folder pictures are called after their prompt. `several`: prompts, which need a folder or fields.
  // Throws kUsage for another suffix than .png, .webp, .jpg and .jpeg.
  OutputNames(const std::string& out, bool several);

  // Whether names depend on the pictures' size.
  bool needs_size() const { return pattern_.uses("width") || pattern_.uses("height"); }

  // The next picture's name; `stem` is the name in a folder. What would meet an earlier name of this run gets
  // -1, -2, ... before its suffix. Throws kUsage for a name that is too long.
  std::filesystem::path next(const NameFields& fields, const std::string& stem);

 private:
  NamePattern pattern_;
  bool folder_ = false;  // The pattern is a folder's.
  std::set<std::filesystem::path> taken_;
};

// Throws kUsage when one is there already and `force` is off. Makes the folders.
void refuse_existing(const std::vector<std::filesystem::path>& files, bool force);

// Writes a picture in the format that its name ends in. `text` goes into PNG only; `quality`, 1 to 100, is
// that of JPEG and WebP.
void write_picture(const std::filesystem::path& file, const Image& image, const PngText& text,
                   int64_t quality);

}  // namespace ldm::cli
