#include "cli/usage.h"

#include <algorithm>

#include "cli/option_values.h"
#include "ldm/core/error.h"
#include "ldm/core/names.h"

namespace ldm::cli {
namespace {

std::vector<std::string> verb_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(verb->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& verb) {
  std::vector<std::string> names;
  for (const auto* option : verb.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string command(const std::string& verb) { return verb == "ldm" ? verb : "ldm " + verb; }

const CLI::App& chosen(const CLI::App& app) {
  const auto verbs = app.get_subcommands([](const CLI::App* verb) { return verb->parsed(); });
  return verbs.empty() ? app : *verbs.front();
}

// The first argument that no option takes.
[[noreturn]] void fail_extra(const CLI::App& verb, const std::string& who, const std::string& extra) {
  if (extra.rfind("-", 0) == 0) {
    const std::string name = extra.substr(0, extra.find('='));
    fail(ErrorKind::kUsage, who, ": unknown option ", name, nearest_hint(name, option_names(verb)), " (",
         command(who), " --help lists them)");
  }
  fail(ErrorKind::kUsage, who, ": one argument too many: '", extra, "'; hint: put words in quotes");
}

void check_verb(const CLI::App& app, const std::string& word) {
  const auto verbs = verb_names(app);
  if (word.rfind("-", 0) == 0 || std::find(verbs.begin(), verbs.end(), word) != verbs.end()) return;
  fail(ErrorKind::kUsage, "unknown verb '", word, "'", nearest_hint(word, verbs), " (ldm --help lists them)");
}

}  // namespace

std::string parse_arguments(CLI::App& app, std::vector<std::string> arguments) {
  check(!arguments.empty(),
        "expected a verb, got none; hint: ldm --help, or ldm generate \"a slice of pizza\"");
  check_verb(app, arguments.front());
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back.
  try {
    app.parse(arguments);
    check_values(chosen(app));
  } catch (const CLI::CallForHelp&) {
    return chosen(app).help();
  } catch (const CLI::CallForVersion& version) {
    return std::string(version.what()) + "\n";
  } catch (const CLI::ParseError& error) {
    const auto& verb = chosen(app);
    const std::string who = verb.get_name();
    const auto extras = app.remaining(/*recurse=*/true);
    if (!extras.empty()) fail_extra(verb, who, extras.front());
    check_values(verb);
    fail(ErrorKind::kUsage, who, ": ", error.what(), " (", command(who), " --help says more)");
  }
  return {};
}

}  // namespace ldm::cli
