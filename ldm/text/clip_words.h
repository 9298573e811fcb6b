#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ldm {

// The words of a lower-cased text as CLIP's pattern finds them from the left:
//   <|startoftext|> | <|endoftext|> | 's | 't | 're | 've | 'm | 'll | 'd | \p{L}+ | \p{N} | [^\s\p{L}\p{N}]+
// long_s: U+017F counts as the s of 's, as it does for a pattern that ignores case.
std::vector<std::u32string_view> clip_words(std::u32string_view text, bool long_s);

}  // namespace ldm
