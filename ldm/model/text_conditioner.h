#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "ldm/model/captions.h"
#include "ldm/model/conditioner.h"
#include "ldm/model/word_learner.h"
#include "ldm/nn/text_transformer.h"
#include "ldm/text/wordpiece.h"

namespace ldm {

struct TextConditionerOptions {
  TextTransformerOptions transformer;
  int64_t max_length = 77;  // Tokens of a caption, [CLS] and [SEP] included.
  bool pooled = false;      // Also give the mean of the words' states as y.
};

// WordPiece and a BERT-style transformer, as the original's BERTEmbedder. Without a tokenizer (layouts) the
// tokens are the condition, and there is no null. Keys `transformer.*`.
class TextConditioner : public Conditioner, public WordLearner {
 public:
  // Throws kUsage for a max_length that the transformer does not reach, or pooled without a tokenizer.
  TextConditioner(const TextConditionerOptions& options, std::optional<WordPiece> tokenizer);
  Conditioning encode(std::span<const Condition> conditions) const override;
  std::string vocabulary() const override { return tokenizer_ ? tokenizer_->to_vocab() : std::string(); }
  std::string complaint(const std::string& prompt) const override;
  ConditionReads reads() const override;
  bool takes_words() const override { return tokenizer_.has_value(); }
  bool has_null() const override { return tokenizer_.has_value(); }
  int64_t word_width() const override;
  void learn_word(const std::vector<std::string>& names, const torch::Tensor& vectors) override;

  // The conditions' own tokens as one chunk, or their captions'; and encode() from there.
  CaptionTokens tokenize(std::span<const Condition> conditions) const;
  Conditioning encode_tokens(const CaptionTokens& tokens) const;

 private:
  TextConditionerOptions options_;
  std::optional<WordPiece> tokenizer_;
  LearnedWords words_;
  std::shared_ptr<TextTransformer> transformer_;
};

}  // namespace ldm
