#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ldm {

// BERT's uncased tokenizer: basic_tokens, then the longest pieces first from the left, "##" marking those
// inside a word (Wu et al. 2016; Devlin et al. 2018). A word that cannot be pieced together, or of more than
// 100 characters, is [UNK]. The strings [CLS] [SEP] [PAD] [MASK] [UNK] in a text stand for their ids where
// the vocabulary has them.
class WordPiece {
 public:
  // Reads vocab.txt: one piece a line, its id the line's number from 0. Format errors: no pieces, one twice,
  // more than a million, or one of [PAD] [UNK] [CLS] [SEP] missing.
  static WordPiece from_vocab(std::span<const std::byte> vocab_txt);
  explicit WordPiece(std::vector<std::string> pieces);

  // Ids without [CLS] and [SEP], any length. Any bytes are allowed.
  std::vector<int64_t> encode(std::string_view text) const;

  // [CLS] ids [SEP] [PAD]..., exactly max_length (>= 2) of them; ids that do not fit are cut off.
  std::vector<int64_t> encode_padded(std::string_view text, int64_t max_length) const;

  // The vocabulary as vocab.txt, each line ended by "\n".
  std::string to_vocab() const;

  const std::vector<std::string>& pieces() const { return pieces_; }
  int64_t size() const { return static_cast<int64_t>(pieces_.size()); }
  int64_t pad_id() const { return pad_id_; }
  int64_t unk_id() const { return unk_id_; }
  int64_t cls_id() const { return cls_id_; }
  int64_t sep_id() const { return sep_id_; }

 private:
  int64_t special(std::string_view piece) const;
  void encode_plain(std::string_view text, std::vector<int64_t>& ids) const;
  void encode_word(std::string_view word, std::vector<int64_t>& ids) const;

  std::vector<std::string> pieces_;
  std::map<std::string, int64_t, std::less<>> ids_;
  int64_t pad_id_ = 0, unk_id_ = 0, cls_id_ = 0, sep_id_ = 0;
};

}  // namespace ldm
