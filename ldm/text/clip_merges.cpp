#include "ldm/text/clip_merges.h"

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "ldm/text/byte_pairs.h"

namespace ldm {

// data/clip_merges.bin, made a part of the program by CMakeLists.txt.
extern const std::array<unsigned char, 4 * (kOpenAiClipPieces - 514)> kPackedClipMerges;

// See scripts/pack_clip_merges.py for the packed form.
std::string openai_clip_vocabulary() {
  std::vector<std::string> pieces;
  pieces.reserve(static_cast<size_t>(kOpenAiClipPieces));
  for (const char* ending : {"", "</w>"}) {
    for (const uint8_t byte : BytePairs::letter_order())
      pieces.push_back(BytePairs::byte_letter(byte) + ending);
  }
  std::vector<Merge> merges;
  const auto piece = [&](size_t at) {
    return pieces.at(static_cast<size_t>(kPackedClipMerges[at] | kPackedClipMerges[at + 1] << 8));
  };
  for (size_t at = 0; at < kPackedClipMerges.size(); at += 4) {
    merges.emplace_back(piece(at), piece(at + 2));
    pieces.push_back(merges.back().first + merges.back().second);
  }
  return format_merges(merges);
}

}  // namespace ldm
