#include "ldm/model/captions.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/io/printable.h"
#include "ldm/model/emphasis.h"
#include "ldm/text/prompt_chunks.h"

namespace ldm {
namespace {

std::vector<PromptChunk> read_caption(const Condition& condition, const Tokenizer& tokenizer,
                                      int64_t max_length) {
  check(max_length > 2, "text encoder: expected room for more than begin and end, got max_length ",
        max_length);
  if (condition.reading.prompt)
    return chunk_prompt(parse_prompt_weights(condition.caption), tokenizer, {.length = max_length - 2})
        .chunks;
  auto ids = tokenizer.encode_padded(condition.caption, max_length);
  std::vector<double> weights(ids.size(), 1.0);
  return {{.ids = std::move(ids), .weights = std::move(weights)}};
}

constexpr size_t kMostWordsNamed = 5;  // In a complaint.

// Words that the tokenizer cannot write without its token for the unknown, each once, in their order.
std::vector<std::string> strange_words(const std::vector<PromptPart>& parts, const Tokenizer& tokenizer) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const auto& part : parts) {
    std::istringstream words(part.is_break() ? "" : part.text);
    for (std::string word; words >> word;) {
      if (!seen.insert(word).second) continue;
      const auto ids = tokenizer.encode(word);
      if (std::find(ids.begin(), ids.end(), tokenizer.unknown_id()) != ids.end()) out.push_back(word);
    }
  }
  return out;
}

}  // namespace

CaptionTokens tokenize_captions(std::span<const Condition> conditions, const Tokenizer& tokenizer,
                                int64_t max_length) {
  std::vector<std::vector<PromptChunk>> captions;
  size_t most = 1;
  for (const auto& condition : conditions) {
    captions.push_back(read_caption(condition, tokenizer, max_length));
    most = std::max(most, captions.back().size());
  }
  const auto empty = read_caption({}, tokenizer, max_length).front();
  std::vector<int64_t> ids;
  std::vector<double> weights;
  for (auto& chunks : captions) {
    chunks.resize(most, empty);
    for (const auto& chunk : chunks) {
      ids.insert(ids.end(), chunk.ids.begin(), chunk.ids.end());
      weights.insert(weights.end(), chunk.weights.begin(), chunk.weights.end());
    }
  }
  const std::vector<int64_t> shape{static_cast<int64_t>(captions.size()), static_cast<int64_t>(most),
                                   max_length};
  return {.ids = at::tensor(ids, at::kLong).view(shape),
          .weights = at::tensor(weights, at::kDouble).view(shape)};
}

torch::Tensor join_chunks(const torch::Tensor& states, const torch::Tensor& weights) {
  const auto n = weights.size(0), chunks = weights.size(1);
  auto out = states;
  if (weights.ne(1.0).any().item<bool>()) {
    const auto flat = weights.flatten(0, 1);
    std::vector<torch::Tensor> rows;
    for (int64_t i = 0; i < flat.size(0); ++i) rows.push_back(emphasized(states[i], flat[i]));
    out = at::stack(rows);
  }
  return out.reshape({n, chunks * states.size(1), states.size(2)});
}

std::string prompt_complaint(const std::string& prompt, const Tokenizer& tokenizer, int64_t max_length) {
  const auto parts = parse_prompt_weights(prompt);
  std::ostringstream out;
  const auto strange = strange_words(parts, tokenizer);
  for (size_t k = 0; k < std::min(strange.size(), kMostWordsNamed); ++k)
    out << (k > 0 ? ", " : "the model has never seen the characters of ") << printable(strange[k]);
  if (strange.size() > kMostWordsNamed) out << " and " << strange.size() - kMostWordsNamed << " more";
  const auto chunks = chunk_prompt(parts, tokenizer, {.length = max_length - 2});
  if (chunks.chunks.size() > 1) {
    out << (out.tellp() > 0 ? "; " : "") << "the prompt has " << chunks.tokens << " pieces: it is read in "
        << chunks.chunks.size() << " parts of at most " << max_length - 2;
  }
  return out.str();
}

}  // namespace ldm
