#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ldm {

// The words of a lower-cased text as CLIP's pattern finds them from the left:
//   's | 't | 're | 've | 'm | 'll | 'd | \p{L}+ | \p{N} | [^\s\p{L}\p{N}]+
// openai: as OpenAI's has it, which knows <|startoftext|> and <|endoftext|> too and ignores case, so that the
// long s (U+017F) is the s of 's and the iota below (U+0345) a letter.
std::vector<std::u32string_view> clip_words(std::u32string_view text, bool openai);

}  // namespace ldm
