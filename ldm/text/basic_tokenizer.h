#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ldm {

// The words of a text as BERT's uncased "basic tokenizer" makes them (Devlin et al. 2018; the rules of HF
// tokenizers' BertNormalizer and BertPreTokenizer): NUL, U+FFFD and control characters dropped, white space
// split at, CJK ideographs set apart, accents stripped (NFD without Mn), lower case, every punctuation
// character a word of its own. Any bytes are allowed: ill-formed UTF-8 counts as U+FFFD.
std::vector<std::string> basic_tokens(std::string_view text);

// Whether the character is always a word of its own: punctuation or a CJK ideograph.
bool stands_alone(char32_t c);

}  // namespace ldm
