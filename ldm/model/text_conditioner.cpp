#include "ldm/model/text_conditioner.h"

#include <ATen/ATen.h>

#include <utility>

#include "ldm/core/error.h"

namespace ldm {

TextConditioner::TextConditioner(const TextConditionerOptions& options, std::optional<WordPiece> tokenizer)
    : options_(options),
      tokenizer_(std::move(tokenizer)),
      transformer_(add(*this, "transformer", std::make_shared<TextTransformer>(options.transformer))) {
  check(options.max_length >= 3 && options.max_length <= options.transformer.max_seq_len,
        "text_transformer: expected max_length in 3..max_seq_len (", options.transformer.max_seq_len,
        "), got ", options.max_length);
  check(tokenizer_ || !options.pooled, "text_transformer: only words are pooled; it has no tokenizer");
}

CaptionTokens TextConditioner::tokenize(std::span<const Condition> conditions) const {
  if (!tokenizer_ || (!conditions.empty() && conditions.front().tokens.defined())) {
    const auto ids = stack_field(conditions, &Condition::tokens, "text_transformer", "tokens").unsqueeze(1);
    return {.ids = ids, .weights = at::ones(ids.sizes(), at::kDouble)};
  }
  for (const auto& condition : conditions)
    check(condition.reading.clip_skip == 0,
          "text_transformer: only CLIP skips layers; this model has no CLIP");
  return tokenize_captions(conditions, LearnedWordsTokenizer(*tokenizer_, words_), options_.max_length);
}

Conditioning TextConditioner::encode_tokens(const CaptionTokens& tokens) const {
  const auto ids = tokens.ids.flatten(0, 1).to(transformer_->parameters().front().device());  // [N C, T]
  Conditioning out{.context = join_chunks(transformer_->forward(ids), tokens.weights)};
  if (options_.pooled) {
    const auto words = ids.ne(tokenizer_->pad_id())
                           .to(out.context.scalar_type())
                           .view({tokens.ids.size(0), -1, 1});  // [N, C T, 1]
    out.y = (out.context * words).sum(1) / words.sum(1);
  }
  return out;
}

Conditioning TextConditioner::encode(std::span<const Condition> conditions) const {
  return encode_tokens(tokenize(conditions));
}

std::string TextConditioner::complaint(const std::string& prompt) const {
  if (!tokenizer_) return {};
  return prompt_complaint(prompt, LearnedWordsTokenizer(*tokenizer_, words_), options_.max_length);
}

ConditionReads TextConditioner::reads() const {
  if (tokenizer_) return {};
  return {.tokens = options_.max_length, .vocabulary = options_.transformer.vocab_size};
}

int64_t TextConditioner::word_width() const { return options_.transformer.n_embed; }

void TextConditioner::learn_word(const std::vector<std::string>& names, const torch::Tensor& vectors) {
  check(tokenizer_.has_value(), "text_transformer: the tokens are no words, so it cannot learn one");
  ldm::learn_word(names, vectors, *tokenizer_, options_.max_length - 2, transformer_->token_embedding(),
                  words_);
}

}  // namespace ldm
