#include "ldm/text/prompt_schedule.h"

#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "ldm/core/error.h"

namespace ldm {
namespace {

constexpr int kMostOpen = 100;
constexpr std::string_view kSpecial = "\\[]():|";

struct ScheduleNode;
using ScheduleText = std::vector<std::shared_ptr<const ScheduleNode>>;

// A part of a prompt: text, or something in brackets.
struct ScheduleNode {
  enum class Kind { kText, kRound, kSquare, kSwitch, kAlternate } kind = Kind::kText;
  std::string text;
  std::vector<ScheduleText> inside;  // Round: 1 or 2; square: 1; switch: before, after; alternate: all.
  double when = 0.0;                 // Of a switch.
};
using Kind = ScheduleNode::Kind;

// Recursive descent over the bytes: everything special is ASCII. A bracket that fits no rule inside another
// one breaks that one too; what became of each bracket is remembered, so that no text is read more than a few
// times.
class ScheduleParser {
 public:
  explicit ScheduleParser(std::string_view prompt) : prompt_(prompt) {}

  // Nothing: the prompt fits no rule.
  std::optional<ScheduleText> parse() {
    ScheduleText out;
    for (size_t at = 0; at < prompt_.size();) {
      const size_t before = at;
      for (auto& node : text(at)) out.push_back(std::move(node));
      if (at > before) continue;
      if (prompt_[at] == '|' || prompt_[at] == '\\') return std::nullopt;
      out.push_back(literal(prompt_.substr(at++, 1)));
    }
    return out;
  }

 private:
  struct Group {
    std::shared_ptr<const ScheduleNode> node;  // Null: fits no rule.
    size_t end = 0;
  };

  static std::shared_ptr<const ScheduleNode> literal(std::string_view text) {
    return std::make_shared<ScheduleNode>(ScheduleNode{Kind::kText, std::string(text), {}, 0.0});
  }

  bool at_char(size_t at, char c) const { return at < prompt_.size() && prompt_[at] == c; }

  // Text and whole brackets from `at` on, which moves behind them.
  ScheduleText text(size_t& at) {
    ScheduleText out;
    while (at < prompt_.size()) {
      const size_t end = plain_end(at);
      if (end > at) {
        out.push_back(literal(prompt_.substr(at, end - at)));
        at = end;
      } else {
        const Group& found = group(at);
        if (!found.node) break;
        out.push_back(found.node);
        at = found.end;
      }
    }
    return out;
  }

  size_t plain_end(size_t at) const {
    while (at < prompt_.size()) {
      const bool escape = prompt_[at] == '\\' && at + 1 < prompt_.size() && prompt_[at + 1] != '\n';
      if (!escape && kSpecial.find(prompt_[at]) != kSpecial.npos) break;
      at += escape ? 2 : 1;
    }
    return at;
  }

  const Group& group(size_t at) {
    if (const auto known = groups_.find(at); known != groups_.end()) return known->second;
    Group found;
    ScheduleNode node;
    size_t end = at + 1;
    if (at_char(at, '(') ? round(node, end) : at_char(at, '[') && square(node, end)) {
      found = {std::make_shared<ScheduleNode>(std::move(node)), end};
    }
    return groups_[at] = found;
  }

  bool round(ScheduleNode& node, size_t& at) {
    node.kind = Kind::kRound;
    node.inside.push_back(text(at));
    if (at_char(at, ':')) node.inside.push_back(text(++at));
    return at_char(at, ')') && ++at > 0;
  }

  bool square(ScheduleNode& node, size_t& at) {
    node.kind = Kind::kSquare;
    node.inside.push_back(text(at));
    if (at_char(at, '|')) {
      node.kind = Kind::kAlternate;
      while (at_char(at, '|')) node.inside.push_back(text(++at));
    } else if (at_char(at, ':')) {
      node.kind = Kind::kSwitch;
      if (number(node, at)) {
        node.inside.insert(node.inside.begin(), ScheduleText());
        return true;
      }
      node.inside.push_back(text(++at));
      return number(node, at);
    }
    return at_char(at, ']') && ++at > 0;
  }

  // ": 0.5]"
  bool number(ScheduleNode& node, size_t& at) const {
    if (!at_char(at, ':')) return false;
    const size_t first = std::min(prompt_.find_first_not_of(" \t\n\v\f\r", at + 1), prompt_.size());
    const size_t end = std::min(prompt_.find(']', first), prompt_.size());
    std::string_view digits = prompt_.substr(first, end - first);
    if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
    if (end == prompt_.size() || digits.find_first_not_of("+-.eE0123456789") != digits.npos) return false;
    const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), node.when);
    if (error != std::errc{} || last != digits.data() + digits.size()) return false;
    at = end + 1;
    return true;
  }

  std::string_view prompt_;
  std::map<size_t, Group> groups_;
};

// The step at which a switch happens, 0 for "from the beginning".
int64_t switch_step(double when, int64_t steps) {
  if (when < 1) when *= static_cast<double>(steps);
  if (!(when >= 1)) return 0;
  return when >= static_cast<double>(steps) ? steps : static_cast<int64_t>(when);
}

void collect_steps(const ScheduleText& text, int64_t steps, std::set<int64_t>& out) {
  for (const auto& node : text) {
    if (node->kind == Kind::kSwitch) out.insert(switch_step(node->when, steps));
    if (node->kind == Kind::kAlternate) {
      for (int64_t step = 1; step <= steps; ++step) out.insert(step);
    }
    for (const auto& inside : node->inside) collect_steps(inside, steps, out);
  }
}

void render(const ScheduleText& text, int64_t step, int64_t steps, std::string& out) {
  for (const auto& node : text) {
    const auto& inside = node->inside;
    switch (node->kind) {
      case Kind::kText:
        out += node->text;
        break;
      case Kind::kRound:
      case Kind::kSquare:
        out += node->kind == Kind::kRound ? '(' : '[';
        render(inside[0], step, steps, out);
        if (inside.size() > 1) render(inside[1], step, steps, out += ':');
        out += node->kind == Kind::kRound ? ')' : ']';
        break;
      case Kind::kSwitch:
        render(inside[step <= switch_step(node->when, steps) ? 0 : 1], step, steps, out);
        break;
      case Kind::kAlternate:
        render(inside[static_cast<size_t>(step - 1) % inside.size()], step, steps, out);
        break;
    }
  }
}

void check_open_brackets(std::string_view prompt) {
  int open = 0;
  for (const char c : prompt) {
    if (c == '(' || c == '[') ++open;
    if ((c == ')' || c == ']') && open > 0) --open;
    check(open <= kMostOpen, "prompt: expected at most ", kMostOpen,
          " brackets inside one another; hint: \\( is a bracket that means nothing");
  }
}

}  // namespace

std::vector<PromptPhase> parse_prompt_schedule(std::string_view prompt, int64_t steps) {
  check(steps >= 1, "prompt: expected a positive number of steps, got ", steps);
  check_open_brackets(prompt);
  const auto parsed = ScheduleParser(prompt).parse();
  if (!parsed) return {{steps, std::string(prompt)}};
  std::set<int64_t> last_steps{steps};
  collect_steps(*parsed, steps, last_steps);
  last_steps.erase(0);
  std::vector<PromptPhase> phases;
  for (const int64_t step : last_steps) {
    phases.push_back({step, {}});
    render(*parsed, step, steps, phases.back().text);
  }
  return phases;
}

}  // namespace ldm
