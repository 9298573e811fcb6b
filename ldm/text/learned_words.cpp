#include "ldm/text/learned_words.h"

#include <algorithm>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {

void LearnedWords::add(std::vector<int64_t> spelling, int64_t first_id, int64_t count) {
  check(!spelling.empty(), "learned word: its name has nothing to be found by");
  check(count >= 1, "learned word: expected at least one vector, got ", count);
  check(!knows(spelling), "learned word: another one is spelled the same");
  const auto place = std::find_if(words_.begin(), words_.end(),
                                  [&](const Word& word) { return word.spelling.size() < spelling.size(); });
  words_.insert(place, {std::move(spelling), first_id, count});
}

bool LearnedWords::knows(std::span<const int64_t> spelling) const {
  return std::any_of(words_.begin(), words_.end(), [&](const Word& word) {
    return std::equal(word.spelling.begin(), word.spelling.end(), spelling.begin(), spelling.end());
  });
}

const LearnedWords::Word* LearnedWords::word_at(std::span<const int64_t> ids) const {
  for (const Word& word : words_) {
    const auto size = word.spelling.size();
    if (size <= ids.size() && std::equal(word.spelling.begin(), word.spelling.end(), ids.begin()))
      return &word;
  }
  return nullptr;
}

std::vector<int64_t> LearnedWords::replaced(std::span<const int64_t> ids) const {
  std::vector<int64_t> out;
  while (!ids.empty()) {
    const Word* word = word_at(ids);
    if (word == nullptr) {
      out.push_back(ids.front());
      ids = ids.subspan(1);
      continue;
    }
    for (int64_t i = 0; i < word->count; ++i) out.push_back(word->first_id + i);
    ids = ids.subspan(word->spelling.size());
  }
  return out;
}

int64_t LearnedWords::run_length(int64_t id) const {
  const auto found =
      std::find_if(words_.begin(), words_.end(), [&](const Word& word) { return word.first_id == id; });
  return found == words_.end() ? 1 : found->count;
}

std::vector<int64_t> LearnedWordsTokenizer::encode(std::string_view text) const {
  auto ids = tokenizer_.encode(text);
  return words_.empty() ? ids : words_.replaced(ids);
}

}  // namespace ldm
