#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace ldm::cli {

// Throws kUsage, naming the option, unless the value is what it takes: of a number decimal digits that fit
// its type (CLI11 alone wraps and clamps), finite where it is none of whole numbers; of any option but
// --negative something at all: an empty value mostly is a shell variable that is not set. Of a flag true or
// false.
void check_value(const CLI::Option& option, const std::string& value);

// The same for all values of all options on the command line.
void check_values(const CLI::App& verb);

}  // namespace ldm::cli
