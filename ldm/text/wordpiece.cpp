#include "ldm/text/wordpiece.h"

#include <algorithm>
#include <array>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/text/basic_tokenizer.h"

namespace ldm {
namespace {

constexpr size_t kMaxPieces = 1'000'000;
constexpr int64_t kMaxWordChars = 100;
constexpr std::array<std::string_view, 5> kSpecials{"[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]"};

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80; }

}  // namespace

WordPiece WordPiece::from_vocab(std::span<const std::byte> vocab_txt) {
  std::string_view rest(reinterpret_cast<const char*>(vocab_txt.data()), vocab_txt.size());
  std::vector<std::string> pieces;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    check(pieces.size() < kMaxPieces, ErrorKind::kFormat, "WordPiece: expected at most ", kMaxPieces,
          " pieces");
    pieces.emplace_back(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return WordPiece(std::move(pieces));
}

WordPiece::WordPiece(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {
  for (size_t i = 0; i < pieces_.size(); ++i) {
    check(ids_.emplace(pieces_[i], static_cast<int64_t>(i)).second, ErrorKind::kFormat,
          "WordPiece: expected every piece once, got '", pieces_[i], "' again in line ", i + 1);
  }
  pad_id_ = special("[PAD]");
  unk_id_ = special("[UNK]");
  cls_id_ = special("[CLS]");
  sep_id_ = special("[SEP]");
}

int64_t WordPiece::special(std::string_view piece) const {
  const auto found = ids_.find(piece);
  check(found != ids_.end(), ErrorKind::kFormat, "WordPiece: expected ", piece, " in the vocabulary of ",
        size(), " pieces; hint: it must be BERT's vocab.txt form");
  return found->second;
}

std::vector<int64_t> WordPiece::encode(std::string_view text) const {
  std::vector<int64_t> ids;
  size_t plain = 0;  // Start of the text since the last special.
  for (size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at)) {
    const auto starts = [&](std::string_view s) {
      return text.substr(at).starts_with(s) && ids_.contains(s);
    };
    const auto found = std::find_if(kSpecials.begin(), kSpecials.end(), starts);
    if (found == kSpecials.end()) {
      ++at;
      continue;
    }
    encode_plain(text.substr(plain, at - plain), ids);
    ids.push_back(ids_.find(*found)->second);
    plain = at += found->size();
  }
  encode_plain(text.substr(plain), ids);
  return ids;
}

void WordPiece::encode_plain(std::string_view text, std::vector<int64_t>& ids) const {
  for (const std::string& word : basic_tokens(text)) encode_word(word, ids);
}

void WordPiece::encode_word(std::string_view word, std::vector<int64_t>& ids) const {
  const size_t before = ids.size();
  const auto unknown = [&] {
    ids.resize(before);
    ids.push_back(unk_id_);
  };
  if (word.size() - static_cast<size_t>(std::count_if(word.begin(), word.end(), is_continuation)) >
      kMaxWordChars) {
    return unknown();
  }
  std::string piece;
  for (size_t start = 0; start < word.size();) {
    size_t end = word.size();
    auto found = ids_.end();
    for (; end > start; --end) {
      if (end < word.size() && is_continuation(word[end])) continue;
      piece.assign(start > 0 ? "##" : "").append(word.substr(start, end - start));
      found = ids_.find(piece);
      if (found != ids_.end()) break;
    }
    if (found == ids_.end()) return unknown();
    ids.push_back(found->second);
    start = end;
  }
}

int64_t WordPiece::comma_id() const {
  const auto found = ids_.find(",");
  return found == ids_.end() ? -1 : found->second;
}

std::string WordPiece::to_vocab() const {
  std::string out;
  for (const std::string& piece : pieces_) out.append(piece).append("\n");
  return out;
}

}  // namespace ldm
