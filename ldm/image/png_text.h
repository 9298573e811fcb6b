#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ldm {

// Keyword and UTF-8 text, in file order. Keywords may repeat.
using PngText = std::vector<std::pair<std::string, std::string>>;

// The tEXt, zTXt and iTXt chunks as UTF-8, without decoding pixels. A text of more than 1 MiB, or damaged, is
// left out; so are all after 64 MiB. Throws kFormat if it is no PNG, or ends within a chunk.
PngText read_png_text(std::span<const std::byte> bytes);

// Text from the list by its keyword: the first one, or "" if there is none.
std::string find_text(const PngText& text, std::string_view keyword);

// Type and data of the chunk for one text: tEXt where Latin-1 can hold it, else iTXt, both uncompressed.
// Throws kUsage if the keyword is not 1..79 printable ASCII characters without outer or double spaces, or the
// text is not UTF-8, holds NUL or is longer than 1 MiB.
struct PngTextChunk {
  std::string type;
  std::string data;
};
PngTextChunk make_text_chunk(std::string_view keyword, std::string_view text);

}  // namespace ldm
