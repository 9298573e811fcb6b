#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/text/tokenizer.h"

namespace ldm {

// BERT's uncased tokenizer: basic_tokens, then the longest pieces first from the left, "##" marking those
// inside a word (Wu et al. 2016; Devlin et al. 2018). A word that cannot be pieced together, or of more than
// 100 characters, is [UNK]. The strings [CLS] [SEP] [PAD] [MASK] [UNK] in a text stand for their ids where
// the vocabulary has them.
class WordPiece : public Tokenizer {
 public:
  // Reads vocab.txt: one piece a line, its id the line's number from 0. Format errors: no pieces, one twice,
  // more than a million, or one of [PAD] [UNK] [CLS] [SEP] missing.
  static WordPiece from_vocab(std::span<const std::byte> vocab_txt);
  explicit WordPiece(std::vector<std::string> pieces);

  // Ids without [CLS] and [SEP], any length. Any bytes are allowed.
  std::vector<int64_t> encode(std::string_view text) const override;

  // The vocabulary as vocab.txt, each line ended by "\n".
  std::string to_vocab() const override;

  const std::vector<std::string>& pieces() const { return pieces_; }
  int64_t size() const override { return static_cast<int64_t>(pieces_.size()); }
  int64_t begin_id() const override { return cls_id_; }  // [CLS]
  int64_t end_id() const override { return sep_id_; }    // [SEP]
  int64_t pad_id() const override { return pad_id_; }
  int64_t unknown_id() const override { return unk_id_; }
  int64_t comma_id() const override;

 private:
  int64_t special(std::string_view piece) const;
  void encode_plain(std::string_view text, std::vector<int64_t>& ids) const;
  void encode_word(std::string_view word, std::vector<int64_t>& ids) const;

  std::vector<std::string> pieces_;
  std::map<std::string, int64_t, std::less<>> ids_;
  int64_t pad_id_ = 0, unk_id_ = 0, cls_id_ = 0, sep_id_ = 0;
};

}  // namespace ldm
