#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ldm {

// What a text encoder asks of a tokenizer: words in, numbers of the encoder's embedding out.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Ids without begin and end, any length. Any bytes are allowed: ill-formed UTF-8 counts as U+FFFD.
  virtual std::vector<int64_t> encode(std::string_view text) const = 0;

  virtual int64_t begin_id() const = 0;
  virtual int64_t end_id() const = 0;
  virtual int64_t pad_id() const = 0;
  virtual int64_t unknown_id() const { return -1; }  // -1: every text can be spelled.
  virtual int64_t comma_id() const { return -1; }    // Of a lone comma; -1: none.
  virtual int64_t size() const = 0;                  // One more than the greatest id.
  // How many ids of a text belong together from this one on (text/learned_words.h).
  virtual int64_t run_length(int64_t /*id*/) const { return 1; }

  // The vocabulary as it travels in a model file.
  virtual std::string to_vocab() const = 0;

  // begin, ids, end, padding: exactly max_length (>= 2) of them; ids that do not fit are cut off.
  std::vector<int64_t> encode_padded(std::string_view text, int64_t max_length) const;
};

}  // namespace ldm
