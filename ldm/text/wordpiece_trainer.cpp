#include "ldm/text/wordpiece_trainer.h"

#include <map>
#include <queue>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/core/utf8.h"
#include "ldm/text/basic_tokenizer.h"

namespace ldm {
namespace {

using Pair = std::pair<int64_t, int64_t>;

struct Word {
  std::vector<int64_t> pieces;
  int64_t count = 0;
};

// A pair with the count that it had when it was queued: most frequent first, then the earliest pieces.
struct Candidate {
  int64_t count;
  Pair pair;
  bool operator<(const Candidate& other) const {
    return std::tie(count, other.pair) < std::tie(other.count, pair);
  }
};

class Trainer {
 public:
  explicit Trainer(std::span<const std::string> texts) {
    for (const std::string& text : texts) {
      for (std::string& word : basic_tokens(text)) ++counts_[std::move(word)];
    }
    for (const char* special : {"[PAD]", "[UNK]", "[CLS]", "[SEP]"}) id_of(special);
    add_alphabet();
    for (const auto& [text, count] : counts_) add_word(text, count);
  }

  int64_t size() const { return static_cast<int64_t>(pieces_.size()); }

  void merge_until(int64_t vocab_size, int64_t min_count) {
    for (const auto& [pair, count] : pairs_) queue_.push({count, pair});
    while (size() < vocab_size && !queue_.empty()) {
      const Candidate best = queue_.top();
      queue_.pop();
      const int64_t now = pairs_[best.pair];
      if (now < min_count) continue;
      if (now != best.count) {
        queue_.push({now, best.pair});
      } else {
        merge(best.pair);
      }
    }
  }

  WordPiece result() const { return WordPiece(pieces_); }

 private:
  int64_t id_of(const std::string& piece) {
    const auto [found, added] = ids_.emplace(piece, size());
    if (added) pieces_.push_back(piece);
    return found->second;
  }

  void add_alphabet() {
    std::set<char32_t> characters;
    for (char32_t c = 33; c < 127; ++c) {
      if (c < U'A' || c > U'Z') characters.insert(c);
    }
    for (const auto& [word, count] : counts_) {
      for (char32_t c : decode_utf8(word)) characters.insert(c);
    }
    for (char32_t c : characters) id_of(encode_utf8({&c, 1}));
    for (char32_t c : characters) {
      if (!stands_alone(c)) id_of("##" + encode_utf8({&c, 1}));
    }
  }

  void add_word(const std::string& text, int64_t count) {
    Word word{{}, count};
    for (char32_t c : decode_utf8(text)) {
      word.pieces.push_back(id_of((word.pieces.empty() ? "" : "##") + encode_utf8({&c, 1})));
    }
    words_.push_back(std::move(word));
    change_pairs(words_.size() - 1, +1);
  }

  // Adds (sign +1) or takes away (-1) the pairs of a word.
  void change_pairs(size_t index, int64_t sign) {
    const Word& word = words_[index];
    for (size_t i = 0; i + 1 < word.pieces.size(); ++i) {
      const Pair pair{word.pieces[i], word.pieces[i + 1]};
      pairs_[pair] += sign * word.count;
      if (sign > 0) where_[pair].insert(index);
      changed_.insert(pair);
    }
  }

  void merge(const Pair& pair) {
    const std::string& tail = pieces_[static_cast<size_t>(pair.second)];
    const int64_t merged = id_of(pieces_[static_cast<size_t>(pair.first)] + tail.substr(2));
    const std::set<size_t> in_words = std::move(where_[pair]);
    where_.erase(pair);
    changed_.clear();
    for (size_t index : in_words) {
      change_pairs(index, -1);
      replace(words_[index].pieces, pair, merged);
      change_pairs(index, +1);
    }
    for (const Pair& p : changed_) {
      if (const int64_t count = pairs_[p]; count > 0) queue_.push({count, p});
    }
  }

  static void replace(std::vector<int64_t>& pieces, const Pair& pair, int64_t merged) {
    size_t out = 0;
    for (size_t i = 0; i < pieces.size(); ++i) {
      const bool here = i + 1 < pieces.size() && Pair{pieces[i], pieces[i + 1]} == pair;
      pieces[out++] = here ? merged : pieces[i];
      if (here) ++i;
    }
    pieces.resize(out);
  }

  std::map<std::string, int64_t> counts_;  // Words of the texts.
  std::vector<std::string> pieces_;
  std::map<std::string, int64_t> ids_;
  std::vector<Word> words_;
  std::map<Pair, int64_t> pairs_;           // How often each pair occurs now.
  std::map<Pair, std::set<size_t>> where_;  // Words that have, or had, it.
  std::set<Pair> changed_;
  std::priority_queue<Candidate> queue_;
};

}  // namespace

WordPiece train_wordpiece(std::span<const std::string> texts, int64_t vocab_size, int64_t min_count) {
  check(min_count >= 1, "train_wordpiece: expected min_count >= 1, got ", min_count);
  Trainer trainer(texts);
  check(trainer.size() <= vocab_size, "train_wordpiece: expected a vocab_size of at least ", trainer.size(),
        " for the characters of the texts, got ", vocab_size);
  trainer.merge_until(vocab_size, min_count);
  return trainer.result();
}

}  // namespace ldm
