#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ldm {

// The number of single-character insertions, deletions, replacements and swaps of neighbours that turn a into
// b (optimal string alignment). Bytes, not characters.
int64_t edit_distance(std::string_view a, std::string_view b);

// The candidate that `name` most probably was meant to be: the smallest edit distance, ignoring case, the
// first of equals; "" if none is near (more than a third of the longer name would have to change).
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

// For error lines: "; did you mean 'x'?", or "" if nothing is near.
std::string nearest_hint(std::string_view name, std::span<const std::string> candidates);

// "a, b, c": for "expected one of".
std::string join_names(std::span<const std::string> names, std::string_view separator = ", ");

}  // namespace ldm
