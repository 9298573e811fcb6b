#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ldm {

// Two neighbouring pieces that become one, in the spelling of byte_letter().
using Merge = std::pair<std::string, std::string>;
using PieceIds = std::unordered_map<std::string, int64_t>;

// Byte-pair encoding over bytes (Sennrich et al. 2016; Radford et al. 2019). Every byte is written as a
// visible letter, the last letter of a word is marked "</w>", and the neighbours whose merge ranks first are
// joined until no merge applies. Every text can be spelled: no piece is unknown.
class BytePairs {
 public:
  // Throws kFormat if a letter, a part or a result of a merge is not in the vocabulary.
  BytePairs(std::vector<Merge> merges, const PieceIds& ids);

  // The vocabulary that the original makes of merges: the 256 letters in letter order, the same with "</w>",
  // then merge k as 512 + k.
  static PieceIds original_ids(std::span<const Merge> merges);

  // Appends the ids of one word (bytes, not letters).
  void encode(std::string_view word, std::vector<int64_t>& ids) const;

  const std::vector<Merge>& merges() const { return merges_; }

  // The letter that stands for a byte (GPT-2's byte-to-unicode table), in UTF-8.
  static std::string byte_letter(uint8_t byte);
  // All bytes in letter order: 33-126, 161-172, 174-255, then the rest.
  static std::array<uint8_t, 256> letter_order();

 private:
  struct Rule {
    uint32_t rank = 0;
    int64_t id = 0;  // Of the two joined.
  };
  struct PairHash {
    size_t operator()(const std::pair<int64_t, int64_t>& p) const {
      return static_cast<size_t>(p.first) * 0x9E3779B97F4A7C15ULL ^ static_cast<size_t>(p.second);
    }
  };

  const Rule* rule(int64_t left, int64_t right) const;

  std::vector<Merge> merges_;
  std::array<int64_t, 256> letters_{}, last_letters_{};
  std::unordered_map<std::pair<int64_t, int64_t>, Rule, PairHash> rules_;
};

// Reads merges as published: one "left right" a line, lowest rank first, after an optional line "#version:
// ...". The original's bpe_simple_vocab_16e6.txt is known by its first line, and read as the original reads
// it: the 48894 merges after that line. At most a million. Throws kFormat; `what` is the file's name for
// messages.
std::vector<Merge> parse_merges(std::span<const std::byte> text, std::string_view what);
// The same form, with the line "#version: 0.2".
std::string format_merges(std::span<const Merge> merges);

}  // namespace ldm
