#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ldm {

// The number of a class that is named "7" or by one of `names`, which count from 0; upper and lower case are
// alike, and of a name with synonyms ("tench, Tinca tinca") each will do. classes: how many the model has.
// Throws kUsage for a number out of range, a name that is not there (with the nearest), one that names
// several classes, and any name where there are none.
int64_t find_class(std::string_view text, std::span<const std::string> names, int64_t classes);

// A text file of names, one a line, of class 0, 1, ...; blanks around them and empty lines at the end do not
// count. Throws kData, and kFormat for an empty one.
std::vector<std::string> read_class_names(const std::filesystem::path& path);

}  // namespace ldm
