#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ldm/text/tokenizer.h"

namespace ldm {

// Words that were learned from pictures (textual inversion, Gal et al. 2022). A word is found in a text by
// the tokens that its name is spelled with, and stands for a run of new ids, one for each of its vectors.
class LearnedWords {
 public:
  // ids first_id .. first_id + count - 1, which no other word has. Throws kUsage for an empty spelling, or
  // one that is known already.
  void add(std::vector<int64_t> spelling, int64_t first_id, int64_t count);

  bool empty() const { return words_.empty(); }
  bool knows(std::span<const int64_t> spelling) const;
  // The ids with words in place of their spellings; where several begin, the longest one.
  std::vector<int64_t> replaced(std::span<const int64_t> ids) const;
  // How many ids belong together from this one on: a word's vectors for its first id, otherwise 1.
  int64_t run_length(int64_t id) const;

 private:
  struct Word {
    std::vector<int64_t> spelling;
    int64_t first_id = 0, count = 0;
  };
  const Word* word_at(std::span<const int64_t> ids) const;

  std::vector<Word> words_;  // The longest spelling first.
};

// Another tokenizer with learned words. Both have to outlive it.
class LearnedWordsTokenizer : public Tokenizer {
 public:
  LearnedWordsTokenizer(const Tokenizer& tokenizer, const LearnedWords& words)
      : tokenizer_(tokenizer), words_(words) {}

  std::vector<int64_t> encode(std::string_view text) const override;
  int64_t begin_id() const override { return tokenizer_.begin_id(); }
  int64_t end_id() const override { return tokenizer_.end_id(); }
  int64_t pad_id() const override { return tokenizer_.pad_id(); }
  int64_t unknown_id() const override { return tokenizer_.unknown_id(); }
  int64_t comma_id() const override { return tokenizer_.comma_id(); }
  int64_t size() const override { return tokenizer_.size(); }
  int64_t run_length(int64_t id) const override { return words_.run_length(id); }
  std::string to_vocab() const override { return tokenizer_.to_vocab(); }

 private:
  const Tokenizer& tokenizer_;
  const LearnedWords& words_;
};

}  // namespace ldm
