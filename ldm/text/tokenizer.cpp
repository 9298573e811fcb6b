#include "ldm/text/tokenizer.h"

#include <algorithm>

#include "ldm/core/error.h"

namespace ldm {

std::vector<int64_t> Tokenizer::encode_padded(std::string_view text, int64_t max_length) const {
  check(max_length >= 2, "encode_padded: expected room for begin and end, got max_length ", max_length);
  const auto length = static_cast<size_t>(max_length);
  std::vector<int64_t> ids = encode(text);
  ids.resize(std::min(ids.size(), length - 2));
  ids.insert(ids.begin(), begin_id());
  ids.push_back(end_id());
  ids.resize(length, pad_id());
  return ids;
}

}  // namespace ldm
