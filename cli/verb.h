#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/cli.h"

namespace ldm::cli {

// A new verb with --help and -q. `examples` are shown under its help, one command and one remark each.
using Examples = std::vector<std::pair<std::string, std::string>>;
CLI::App* add_verb(CLI::App& app, Context& context, const std::string& name, const std::string& description,
                   const Examples& examples);

// --device and --threads, for verbs that compute.
void add_compute_options(CLI::App* verb, Context& context);

// Options that are added from here on stand below this title in the verb's help, in place of "Options".
void begin_section(CLI::App* verb, const std::string& title);

// What the verb does once all options are read. LibTorch may be used inside `run`, not before.
void set_run(CLI::App* verb, Context& context, std::function<int()> run);

// An option whose help ends in its default value (as the field stands now), unless that is empty.
template <typename T>
CLI::Option* add_option(CLI::App* verb, const std::string& names, T& field, std::string help) {
  std::ostringstream value;
  value << field;
  if (!value.str().empty()) help += " [" + value.str() + "]";
  return verb->add_option(names, field, help);
}

// An option that names a file. Recipes keep the hash of what it held (cli/recipe_options.h).
template <typename T>
CLI::Option* add_file_option(CLI::App* verb, const std::string& names, T& field, const std::string& help) {
  return verb->add_option(names, field, help)->type_name("FILE");
}

// Help in a form of our own, equal with every version of CLI11, so that a golden file can hold it.
class HelpFormatter : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
};

}  // namespace ldm::cli
