#pragma once

#include <string>
#include <string_view>

namespace ldm {

// A text as OpenAI's CLIP tokenizer cleans it before lower-casing: ftfy's fix_text (curly quotes, Latin
// ligatures, full-width forms, line breaks, control characters and terminal escapes, NFC; HTML references
// until nothing changes), then HTML references twice more. ftfy's guesses about text that was decoded in the
// wrong encoding are left out.
std::u32string openai_clean(std::u32string_view text);

}  // namespace ldm
