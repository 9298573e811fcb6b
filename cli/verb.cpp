#include "cli/verb.h"

#include <algorithm>
#include <cctype>

namespace ldm::cli {
namespace {

constexpr std::size_t kColumn = 26;
constexpr char kPlainSection[] = "Options";  // CLI11's own default.

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

void add_arguments(std::string& out, const CLI::App* app) {
  bool first = true;
  for (const auto* option : app->get_options()) {
    if (!is_positional(option)) continue;
    if (first) out += "\nArguments:\n";
    first = false;
    add_row(out, upper(option->get_name(true)), option->get_description());
  }
}

// Titles in the order of their first options. What every verb has comes last.
std::vector<std::string> section_titles(const CLI::App* app) {
  std::vector<std::string> titles;
  for (const auto* option : app->get_options()) {
    const auto& title = option->get_group();
    if (is_positional(option) || title.empty() || title == kPlainSection) continue;
    if (std::find(titles.begin(), titles.end(), title) == titles.end()) titles.push_back(title);
  }
  titles.push_back(kPlainSection);
  return titles;
}

void add_options(std::string& out, const CLI::App* app) {
  const auto titles = section_titles(app);
  for (const auto& title : titles) {
    out += titles.size() > 1 && title == kPlainSection ? "\nOther options:\n" : "\n" + title + ":\n";
    for (const auto* option : app->get_options()) {
      if (!is_positional(option) && option->get_group() == title)
        add_row(out, option_names(option), option->get_description());
    }
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
  add_arguments(out, app);
  add_verbs(out, app);
  add_options(out, app);
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

void begin_section(CLI::App* verb, const std::string& title) { verb->option_defaults()->group(title); }

void add_compute_options(CLI::App* verb, Context& context) {
  begin_section(verb, kPlainSection);
  context.device = "auto";
  add_option(verb, "--device", context.device, "auto, cpu, cuda or cuda:N");
  add_option(verb, "--threads", context.threads, "threads of the CPU, 0: all cores")
      ->check(CLI::Range(int64_t{0}, int64_t{1024}));
}

void set_run(CLI::App* verb, Context& context, std::function<int()> run) {
  verb->callback([&context, run = std::move(run)] { context.run = run; });
}

}  // namespace ldm::cli
