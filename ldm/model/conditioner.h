#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ldm/nn/class_embedder.h"
#include "ldm/nn/text_transformer.h"
#include "ldm/text/wordpiece.h"

namespace ldm {

// What one sample is conditioned on. A model reads the part that it was trained with.
struct Condition {
  std::string caption;  // Empty: unconditional.
  int64_t label = -1;   // Class number; -1: unconditional.
};

// What the UNet is given. Undefined tensors are absent.
struct Conditioning {
  torch::Tensor context;  // [N, T, D] for cross-attention.
  torch::Tensor y;        // [N, A], added to the time embedding through label_emb.
};

// The two batches one after the other, for guidance in one call.
Conditioning concat(const Conditioning& first, const Conditioning& second);

// tau of the paper (Sec. 3.3): conditions in, what steers the UNet out. Its parameters are
// `cond_stage_model.*`.
class Conditioner : public torch::nn::Module {
 public:
  virtual Conditioning encode(std::span<const Condition> conditions) const = 0;
  // What has to be in the model file besides weights: the tokenizer's vocabulary; empty if there is none.
  virtual std::string vocabulary() const { return {}; }
  // Pieces of a caption that do not fit or are not known, in words for the user; empty if all is well.
  virtual std::string complaint(const std::string& /*caption*/) const { return {}; }
  // Classes that a label can name; 0: the condition is words.
  virtual int64_t classes() const { return 0; }
  // Whether "no condition" can be encoded: guidance and dropout need it.
  virtual bool has_null() const { return true; }
};

struct TextConditionerOptions {
  TextTransformerOptions transformer;
  int64_t max_length = 77;  // Tokens of a caption, [CLS] and [SEP] included.
  bool pooled = false;      // Also give the mean of the words' states as y.
};

// WordPiece and a BERT-style transformer, as the original's BERTEmbedder. Keys `transformer.*`.
class TextConditioner : public Conditioner {
 public:
  TextConditioner(const TextConditionerOptions& options, WordPiece tokenizer);
  Conditioning encode(std::span<const Condition> conditions) const override;
  std::string vocabulary() const override { return tokenizer_.to_vocab(); }
  std::string complaint(const std::string& caption) const override;

  // [N, max_length] token ids on the CPU, and encode() from there.
  torch::Tensor tokenize(std::span<const Condition> conditions) const;
  Conditioning encode_tokens(const torch::Tensor& tokens) const;

 private:
  TextConditionerOptions options_;
  WordPiece tokenizer_;
  std::shared_ptr<TextTransformer> transformer_;
};

// The original's ClassEmbedder: one context token a class. An entry beyond the classes stands for "no class"
// when `null_class` is given. Key `embedding.weight`.
class ClassConditioner : public Conditioner {
 public:
  ClassConditioner(int64_t width, int64_t classes, std::optional<int64_t> null_class);
  Conditioning encode(std::span<const Condition> conditions) const override;
  int64_t classes() const override { return classes_; }
  bool has_null() const override { return null_class_.has_value(); }

 private:
  int64_t classes_;
  std::optional<int64_t> null_class_;
  torch::Tensor weight_;
};

}  // namespace ldm
