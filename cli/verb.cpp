#include "cli/verb.h"

#include <algorithm>
#include <cctype>

namespace ldm::cli {
namespace {

constexpr std::size_t kColumn = 26;

// Two columns; a left side that is too long gets a line of its own.
void add_row(std::string& out, const std::string& left, const std::string& right) {
  out += "  " + left;
  if (left.size() + 2 >= kColumn) {
    out += '\n' + std::string(kColumn, ' ');
  } else {
    out.append(kColumn - left.size() - 2, ' ');
  }
  out += right + '\n';
}

// "TEXT", "INT", ...; what CLI11 appends for validators depends on its version and is dropped.
std::string value_name(const CLI::Option* option) {
  std::string name = option->get_type_name();
  name.erase(std::min(name.find_first_of(": "), name.size()));
  return name;
}

std::string option_names(const CLI::Option* option) {
  std::string names;
  for (const auto& name : option->get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const auto& name : option->get_lnames()) names += (names.empty() ? "--" : ", --") + name;
  const std::string value = value_name(option);
  return option->get_items_expected_max() > 0 && !value.empty() ? names + " " + value : names;
}

bool is_positional(const CLI::Option* option) {
  return option->get_snames().empty() && option->get_lnames().empty();
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string positional_usage(const CLI::Option* option) {
  const std::string dots = option->get_items_expected_max() > 1 ? " ..." : "";
  const std::string name = upper(option->get_name(true)) + dots;
  return option->get_required() ? name : "[" + name + "]";
}

void add_verbs(std::string& out, const CLI::App* app) {
  const auto verbs = app->get_subcommands([](const CLI::App*) { return true; });
  if (verbs.empty()) return;
  out += "\nVerbs:\n";
  for (const auto* verb : verbs) add_row(out, verb->get_name(), verb->get_description());
}

void add_options(std::string& out, const CLI::App* app, bool positionals) {
  bool first = true;
  for (const auto* option : app->get_options()) {
    if (is_positional(option) != positionals || option->get_group().empty()) continue;
    if (first) out += positionals ? "\nArguments:\n" : "\nOptions:\n";
    first = false;
    add_row(out, positionals ? upper(option->get_name(true)) : option_names(option),
            option->get_description());
  }
}

}  // namespace

std::string HelpFormatter::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  const auto* parent = app->get_parent();
  std::string out = app->get_description() + "\n\nUsage: ";
  out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  for (const auto* up = parent; up != nullptr; up = up->get_parent()) out += up->get_name() + " ";
  out += app->get_name();
  if (!app->get_subcommands([](const CLI::App*) { return true; }).empty()) out += " VERB";
  for (const auto* option : app->get_options()) {
    if (is_positional(option)) out += " " + positional_usage(option);
  }
  out += " [OPTIONS]\n";
  add_options(out, app, /*positionals=*/true);
  add_verbs(out, app);
  add_options(out, app, /*positionals=*/false);
  const std::string footer = app->get_footer();
  return footer.empty() ? out : out + "\n" + footer + "\n";
}

CLI::App* add_verb(CLI::App& app, Context& context, const std::string& name, const std::string& description,
                   const Examples& examples) {
  auto* verb = app.add_subcommand(name, description);
  verb->set_help_flag("-h,--help", "print this and end");
  verb->add_flag("-q,--quiet", context.quiet, "no progress and no information on stderr");
  std::string footer = "Examples:";
  for (const auto& [command, remark] : examples) footer += "\n  " + command + "\n      " + remark;
  verb->footer(footer);
  return verb;
}

void add_compute_options(CLI::App* verb, Context& context) {
  context.device = "auto";
  add_option(verb, "--device", context.device, "auto, cpu, cuda or cuda:N");
  add_option(verb, "--threads", context.threads, "threads of the CPU, 0: all cores")
      ->check(CLI::Range(int64_t{0}, int64_t{1024}));
}

void set_run(CLI::App* verb, Context& context, std::function<int()> run) {
  verb->callback([&context, run = std::move(run)] { context.run = run; });
}

}  // namespace ldm::cli
