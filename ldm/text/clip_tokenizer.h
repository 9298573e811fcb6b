#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/text/byte_pairs.h"
#include "ldm/text/tokenizer.h"

namespace ldm {

// Two programs read the same vocabulary and differ in how they clean a text.
enum class ClipRules {
  kHuggingFace,  // NFC and lower case (transformers' CLIPTokenizer: Stable Diffusion 1, SDXL, diffusers).
  kOpenAi,       // openai_clean() first (OpenAI's and OpenCLIP's tokenizers: retrieval, Stable Diffusion 2).
};

struct ClipTokenizerOptions {
  ClipRules rules = ClipRules::kHuggingFace;
  // The piece that fills up; empty: what the rules use, "<|endoftext|>" or, for OpenAI, "!" (id 0). With the
  // rules of transformers it is a special token, so that "!" as padding is also cut out of every text.
  std::string pad_token;
};

// CLIP's tokenizer (Radford et al. 2021): byte-level BPE of the words of the lower-cased text, where a word
// is a run of letters, one digit, a run of anything else, or an English contraction. The strings
// <|startoftext|> and
// <|endoftext|> in a text stand for their ids.
class ClipTokenizer : public Tokenizer {
 public:
  // From merges alone, whose order gives the ids (see BytePairs), e.g. the original's
  // bpe_simple_vocab_16e6.txt. All factories throw kFormat for broken files and kUsage for a pad_token that
  // is no piece.
  static ClipTokenizer from_merges(std::span<const std::byte> merges,
                                   const ClipTokenizerOptions& options = {});
  // From the vocab.json and merges.txt of a tokenizer folder.
  static ClipTokenizer from_files(std::span<const std::byte> vocab_json,
                                  std::span<const std::byte> merges_txt,
                                  const ClipTokenizerOptions& options = {});
  // From what to_vocab() gave.
  static ClipTokenizer from_vocab(std::span<const std::byte> vocab, const ClipTokenizerOptions& options = {});

  std::vector<int64_t> encode(std::string_view text) const override;
  int64_t begin_id() const override { return bos_id_; }
  int64_t end_id() const override { return eos_id_; }
  int64_t pad_id() const override { return pad_id_; }
  int64_t comma_id() const override { return comma_id_; }
  int64_t size() const override { return size_; }

  // The merges where their order gives the ids; otherwise a JSON object of "merges" (text) and "vocab".
  std::string to_vocab() const override;

 private:
  struct Special {
    std::u32string text;
    int64_t id = 0;
  };

  ClipTokenizer(std::vector<Merge> merges, PieceIds ids, const ClipTokenizerOptions& options);
  int64_t id_of(const std::string& piece) const;
  void encode_plain(std::u32string_view text, std::vector<int64_t>& ids) const;

  ClipTokenizerOptions options_;
  BytePairs pairs_;
  PieceIds vocab_;  // Empty where the ids follow from the merges.
  std::vector<Special> specials_;
  int64_t bos_id_ = 0, eos_id_ = 0, pad_id_ = 0, comma_id_ = -1, size_ = 0;
};

}  // namespace ldm
