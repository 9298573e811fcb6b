#include "ldm/model/word_learner.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/printable.h"
#include "ldm/nn/textual_inversion.h"

namespace ldm {

void learn_word(const std::vector<std::string>& names, const torch::Tensor& vectors,
                const Tokenizer& tokenizer, int64_t room, EmbeddingModule& table, LearnedWords& words) {
  std::set<std::vector<int64_t>> spellings;  // Names may differ in what the tokenizer does not see.
  for (const auto& name : names) {
    auto spelling = tokenizer.encode(name);
    check(!spelling.empty(), "the learned word ", printable(name), " has nothing to be found by in a prompt");
    check(std::find(spelling.begin(), spelling.end(), tokenizer.unknown_id()) == spelling.end(),
          "the learned word ", printable(name), " has characters that this model's tokenizer does not know");
    check(!words.knows(spelling), "another learned word is called ", printable(name), " already");
    spellings.insert(std::move(spelling));
  }
  check(vectors.size(0) <= room, "a learned word of ", vectors.size(0),
        " vectors; this model's text encoder reads ", room, " at once");
  const auto first_id = append_token_vectors(table, vectors);
  for (const auto& spelling : spellings) words.add(spelling, first_id, vectors.size(0));
}

}  // namespace ldm
