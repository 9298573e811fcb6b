#include "ldm/model/conditioner.h"

#include <ATen/ATen.h>

#include <utility>

#include "ldm/core/error.h"
#include "ldm/nn/layers.h"

namespace ldm {
namespace {

torch::Tensor concat_rows(const torch::Tensor& a, const torch::Tensor& b) {
  check(a.defined() == b.defined(), "concat: the two conditionings are of different kinds");
  return a.defined() ? at::cat({a, b}, 0) : torch::Tensor();
}

}  // namespace

Conditioning concat(const Conditioning& first, const Conditioning& second) {
  return {.context = concat_rows(first.context, second.context), .y = concat_rows(first.y, second.y)};
}

TextConditioner::TextConditioner(const TextConditionerOptions& options, WordPiece tokenizer)
    : options_(options),
      tokenizer_(std::move(tokenizer)),
      transformer_(add(*this, "transformer", std::make_shared<TextTransformer>(options.transformer))) {
  check(options.max_length >= 2 && options.max_length <= options.transformer.max_seq_len,
        "text_transformer: expected max_length in 2..max_seq_len (", options.transformer.max_seq_len,
        "), got ", options.max_length);
}

torch::Tensor TextConditioner::tokenize(std::span<const Condition> conditions) const {
  auto tokens = at::empty({static_cast<int64_t>(conditions.size()), options_.max_length}, at::kLong);
  auto* out = tokens.data_ptr<int64_t>();
  for (const auto& condition : conditions) {
    const auto ids = tokenizer_.encode_padded(condition.caption, options_.max_length);
    out = std::copy(ids.begin(), ids.end(), out);
  }
  return tokens;
}

Conditioning TextConditioner::encode_tokens(const torch::Tensor& tokens) const {
  const auto ids = tokens.to(transformer_->parameters().front().device());
  Conditioning out{.context = transformer_->forward(ids), .y = {}};
  if (options_.pooled) {
    const auto words = ids.ne(tokenizer_.pad_id()).to(out.context.scalar_type()).unsqueeze(-1);  // [N, T, 1]
    out.y = (out.context * words).sum(1) / words.sum(1);
  }
  return out;
}

Conditioning TextConditioner::encode(std::span<const Condition> conditions) const {
  return encode_tokens(tokenize(conditions));
}

std::string TextConditioner::complaint(const std::string& caption) const {
  const auto ids = tokenizer_.encode(caption);
  const auto room = options_.max_length - 2;
  if (static_cast<int64_t>(ids.size()) > room) {
    return "the prompt has " + std::to_string(ids.size()) + " pieces, the model reads the first " +
           std::to_string(room);
  }
  for (const auto id : ids) {
    if (id == tokenizer_.unk_id()) return "the prompt has characters that the model has never seen";
  }
  return {};
}

ClassConditioner::ClassConditioner(int64_t width, int64_t classes, std::optional<int64_t> null_class)
    : classes_(classes), null_class_(null_class) {
  check(width > 0 && classes > 0, "class_embedder: expected a positive embed_dim and n_classes, got ", width,
        " and ", classes);
  check(!null_class || (*null_class >= 0 && *null_class < classes),
        "class_embedder: expected a null_class in 0..", classes - 1, ", got ", null_class.value_or(-1));
  weight_ = add(*this, "embedding", embedding(classes, width))->weight;
}

Conditioning ClassConditioner::encode(std::span<const Condition> conditions) const {
  auto ids = at::empty({static_cast<int64_t>(conditions.size())}, at::kLong);
  auto* out = ids.data_ptr<int64_t>();
  for (const auto& condition : conditions) {
    const auto label = condition.label < 0 ? null_class_.value_or(-1) : condition.label;
    check(label >= 0, "class_embedder: the model has no null class, so every sample needs a class number");
    check(label < classes_, "class_embedder: expected a class in 0..", classes_ - 1, ", got ", label);
    *out++ = label;
  }
  return {.context = at::embedding(weight_, ids.to(weight_.device())).unsqueeze(1), .y = {}};
}

}  // namespace ldm
