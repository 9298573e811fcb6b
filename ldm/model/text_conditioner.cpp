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
  return tokenize_captions(conditions, *tokenizer_, options_.max_length);
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
  return tokenizer_ ? prompt_complaint(prompt, *tokenizer_, options_.max_length) : std::string();
}

}  // namespace ldm
