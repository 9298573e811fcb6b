#include "ldm/text/byte_pairs.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <tuple>

#include "ldm/core/error.h"
#include "ldm/core/utf8.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

constexpr size_t kMaxMerges = 1'000'000;
constexpr std::string_view kOriginalHeader = "bpe_simple_vocab_16e6.txt#version";
constexpr size_t kOriginalMerges = 49152 - 256 - 2;
constexpr std::string_view kWordEnd = "</w>";

bool is_visible(int byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
}

// A pair that could be merged when it was queued.
struct MergeCandidate {
  uint32_t rank;
  size_t at;  // Of the left piece.
  int64_t left, right, joined;
  bool operator>(const MergeCandidate& other) const {
    return std::tie(rank, at) > std::tie(other.rank, other.at);
  }
};

}  // namespace

std::string BytePairs::byte_letter(uint8_t byte) {
  int hidden = 0;
  for (int b = 0; b < byte; ++b) hidden += is_visible(b) ? 0 : 1;
  std::string out;
  append_utf8(out, is_visible(byte) ? static_cast<char32_t>(byte) : static_cast<char32_t>(256 + hidden));
  return out;
}

std::array<uint8_t, 256> BytePairs::letter_order() {
  std::array<uint8_t, 256> out{};
  size_t at = 0;
  for (const bool visible : {true, false}) {
    for (int b = 0; b < 256; ++b) {
      if (is_visible(b) == visible) out[at++] = static_cast<uint8_t>(b);
    }
  }
  return out;
}

PieceIds BytePairs::original_ids(std::span<const Merge> merges) {
  PieceIds ids;
  for (const auto ending : {std::string_view(), kWordEnd}) {
    for (const uint8_t byte : letter_order()) {
      ids.emplace(byte_letter(byte).append(ending), static_cast<int64_t>(ids.size()));
    }
  }
  // A piece that two merges make keeps the later id, as in the original's dictionary.
  for (size_t k = 0; k < merges.size(); ++k) {
    ids[merges[k].first + merges[k].second] = static_cast<int64_t>(512 + k);
  }
  return ids;
}

BytePairs::BytePairs(std::vector<Merge> merges, const PieceIds& ids) : merges_(std::move(merges)) {
  const auto id_of = [&](const std::string& piece) {
    const auto found = ids.find(piece);
    check(found != ids.end(), ErrorKind::kFormat, "BytePairs: expected the piece '", piece,
          "' in the vocabulary of ", ids.size(), " pieces");
    return found->second;
  };
  for (size_t b = 0; b < 256; ++b) {
    const auto letter = byte_letter(static_cast<uint8_t>(b));
    letters_[b] = id_of(letter);
    last_letters_[b] = id_of(letter + std::string(kWordEnd));
  }
  rules_.reserve(merges_.size());
  for (size_t k = 0; k < merges_.size(); ++k) {
    const auto& [left, right] = merges_[k];
    const Rule rule{static_cast<uint32_t>(k), id_of(left + right)};
    rules_.insert_or_assign({id_of(left), id_of(right)}, rule);
  }
}

const BytePairs::Rule* BytePairs::rule(int64_t left, int64_t right) const {
  const auto found = rules_.find({left, right});
  return found == rules_.end() ? nullptr : &found->second;
}

// A list of pieces with a queue of possible merges: n log n, whatever the word.
void BytePairs::encode(std::string_view word, std::vector<int64_t>& ids) const {
  constexpr int64_t kGone = -1;
  const size_t n = word.size();
  std::vector<int64_t> pieces(n);
  std::vector<size_t> next(n), previous(n);
  for (size_t i = 0; i < n; ++i) {
    const auto byte = static_cast<uint8_t>(word[i]);
    pieces[i] = i + 1 < n ? letters_[byte] : last_letters_[byte];
    next[i] = i + 1;
    previous[i] = i - 1;  // Of the first: npos, never looked at.
  }
  std::priority_queue<MergeCandidate, std::vector<MergeCandidate>, std::greater<>> queue;
  const auto offer = [&](size_t at) {
    if (next[at] >= n) return;
    const int64_t left = pieces[at], right = pieces[next[at]];
    if (const Rule* found = rule(left, right)) queue.push({found->rank, at, left, right, found->id});
  };
  for (size_t i = 0; i < n; ++i) offer(i);
  while (!queue.empty()) {
    const MergeCandidate best = queue.top();
    queue.pop();
    const size_t left = best.at, right = next[left];
    if (pieces[left] != best.left || right >= n || pieces[right] != best.right) continue;
    pieces[left] = best.joined;
    pieces[right] = kGone;
    next[left] = next[right];
    if (next[left] < n) previous[next[left]] = left;
    offer(left);
    if (left > 0) offer(previous[left]);
  }
  std::copy_if(pieces.begin(), pieces.end(), std::back_inserter(ids), [](int64_t id) { return id != kGone; });
}

std::vector<Merge> parse_merges(std::span<const std::byte> text, std::string_view what) {
  std::string_view rest = as_text(text);
  std::vector<Merge> merges;
  size_t most = kMaxMerges;
  for (size_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number == 1 && line.find("#version") != line.npos) {
      if (line.find(kOriginalHeader) != line.npos) most = kOriginalMerges;
      continue;
    }
    if (line.empty() && rest.empty()) break;
    if (merges.size() == most && most == kOriginalMerges) break;
    check(merges.size() < most, ErrorKind::kFormat, what, ": expected at most ", most, " merges");
    const size_t space = line.find(' ');
    check(space != line.npos && space > 0 && space + 1 < line.size() &&
              line.find(' ', space + 1) == line.npos && is_utf8(line),
          ErrorKind::kFormat, what, ": expected two pieces with a space between them in line ", number);
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
}

std::string format_merges(std::span<const Merge> merges) {
  std::string out = "#version: 0.2\n";
  for (const auto& [left, right] : merges) out.append(left).append(" ").append(right).append("\n");
  return out;
}

}  // namespace ldm
