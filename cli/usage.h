#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace ldm::cli {

// Reads the command line (without the program's name). Returns the text to print where help or the version
// was asked for, empty otherwise. Throws Error kUsage with the nearest verb or option where one is unknown.
std::string parse_arguments(CLI::App& app, std::vector<std::string> arguments);

}  // namespace ldm::cli
