#include "ldm/text/prompt_chunks.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

using Offset = std::ptrdiff_t;

class Chunker {
 public:
  Chunker(const Tokenizer& tokenizer, const ChunkOptions& options)
      : tokenizer_(tokenizer), options_(options), length_(static_cast<size_t>(options.length)) {}

  void add(const PromptPart& part) {
    for (const int64_t id : tokenizer_.encode(part.text)) {
      if (id == tokenizer_.comma_id()) {
        comma_ = ids_.size();  // Also where it opens the next chunk, as in the web UI.
      } else if (ids_.size() == length_ && comma_is_near()) {
        close_after_comma();
      }
      // A learned word is never cut in two.
      if (ids_.size() + static_cast<size_t>(tokenizer_.run_length(id)) > length_) close();
      ids_.push_back(id);
      weights_.push_back(part.weight);
    }
  }

  void close() {
    out_.tokens += options_.length;
    flush();
  }

  PromptChunks finish() {
    if (!ids_.empty() || out_.chunks.empty()) {
      out_.tokens += static_cast<int64_t>(ids_.size());
      flush();
    }
    return std::move(out_);
  }

 private:
  bool comma_is_near() const {
    return comma_ && static_cast<int64_t>(length_ - *comma_) <= options_.comma_backtrack;
  }

  // What stands after the last comma moves on to the next chunk.
  void close_after_comma() {
    const auto keep = static_cast<Offset>(*comma_ + 1);
    std::vector<int64_t> ids(ids_.begin() + keep, ids_.end());
    std::vector<double> weights(weights_.begin() + keep, weights_.end());
    ids_.resize(*comma_ + 1);
    weights_.resize(*comma_ + 1);
    close();
    ids_ = std::move(ids);
    weights_ = std::move(weights);
  }

  void flush() {
    const size_t size = length_ + 2;
    ids_.insert(ids_.begin(), tokenizer_.begin_id());
    ids_.push_back(tokenizer_.end_id());
    ids_.resize(size, tokenizer_.pad_id());
    weights_.insert(weights_.begin(), 1.0);
    weights_.resize(size, 1.0);
    out_.chunks.push_back({std::exchange(ids_, {}), std::exchange(weights_, {})});
    comma_.reset();
  }

  const Tokenizer& tokenizer_;
  ChunkOptions options_;
  size_t length_;
  PromptChunks out_;
  std::vector<int64_t> ids_;  // Of the open chunk.
  std::vector<double> weights_;
  std::optional<size_t> comma_;  // Place of the open chunk's last comma.
};

}  // namespace

PromptChunks chunk_prompt(std::span<const PromptPart> parts, const Tokenizer& tokenizer,
                          const ChunkOptions& options) {
  check(options.length >= 1 && options.comma_backtrack >= 0,
        "chunk_prompt: expected a positive length and no negative comma_backtrack, got ", options.length,
        " and ", options.comma_backtrack);
  Chunker chunker(tokenizer, options);
  for (const PromptPart& part : parts) {
    if (part.is_break()) {
      chunker.close();
    } else {
      chunker.add(part);
    }
  }
  return chunker.finish();
}

}  // namespace ldm
