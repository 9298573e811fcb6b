#include "ldm/model/text_conditioner.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {

TextConditioner::TextConditioner(const TextConditionerOptions& options, std::optional<WordPiece> tokenizer)
    : options_(options),
      tokenizer_(std::move(tokenizer)),
      transformer_(add(*this, "transformer", std::make_shared<TextTransformer>(options.transformer))) {
  check(options.max_length >= 2 && options.max_length <= options.transformer.max_seq_len,
        "text_transformer: expected max_length in 2..max_seq_len (", options.transformer.max_seq_len,
        "), got ", options.max_length);
  check(tokenizer_ || !options.pooled, "text_transformer: only words are pooled; it has no tokenizer");
}

torch::Tensor TextConditioner::tokenize(std::span<const Condition> conditions) const {
  if (!tokenizer_ || (!conditions.empty() && conditions.front().tokens.defined())) {
    return stack_field(conditions, &Condition::tokens, "text_transformer", "tokens");
  }
  auto tokens = at::empty({static_cast<int64_t>(conditions.size()), options_.max_length}, at::kLong);
  auto* out = tokens.data_ptr<int64_t>();
  for (const auto& condition : conditions) {
    const auto ids = tokenizer_->encode_padded(condition.caption, options_.max_length);
    out = std::copy(ids.begin(), ids.end(), out);
  }
  return tokens;
}

Conditioning TextConditioner::encode_tokens(const torch::Tensor& tokens) const {
  const auto ids = tokens.to(transformer_->parameters().front().device());
  Conditioning out{.context = transformer_->forward(ids)};
  if (options_.pooled) {
    const auto words = ids.ne(tokenizer_->pad_id()).to(out.context.scalar_type()).unsqueeze(-1);  // [N, T, 1]
    out.y = (out.context * words).sum(1) / words.sum(1);
  }
  return out;
}

Conditioning TextConditioner::encode(std::span<const Condition> conditions) const {
  return encode_tokens(tokenize(conditions));
}

std::string TextConditioner::complaint(const std::string& caption) const {
  if (!tokenizer_) return {};
  const auto ids = tokenizer_->encode(caption);
  const auto room = options_.max_length - 2;
  if (static_cast<int64_t>(ids.size()) > room) {
    return "the prompt has " + std::to_string(ids.size()) + " pieces, the model reads the first " +
           std::to_string(room);
  }
  for (const auto id : ids) {
    if (id == tokenizer_->unknown_id()) return "the prompt has characters that the model has never seen";
  }
  return {};
}

}  // namespace ldm
