#include "ldm/data/emoji_sources.h"

#include <filesystem>
#include <string>

#include "ldm/core/error.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

std::vector<std::byte> read_source(const std::string& path, std::string_view who, std::string_view what,
                                   std::string_view package) {
  check(std::filesystem::is_regular_file(path), ErrorKind::kData, who, ": expected ", what, " at ", path,
        ", found none; hint: apt-get install ", package);
  const MappedFile file(path);
  return {file.bytes().begin(), file.bytes().end()};
}

}  // namespace

EmojiSources read_emoji_sources(const EmojiOptions& options, std::string_view who) {
  EmojiFont font(read_source(options.font, who, "the font", "fonts-noto-color-emoji"));
  const auto names = read_source(options.emoji_test, who, "emoji-test.txt", "unicode-data");
  Annotations cldr;
  for (const std::string& path : {options.annotations, options.derived}) {
    parse_annotations(read_source(path, who, "CLDR's annotations", "unicode-cldr-core"), path, cldr);
  }
  return {std::move(font), parse_emoji_test(names, options.emoji_test), std::move(cldr)};
}

}  // namespace ldm
