#include "ldm/data/emoji_names.h"

#include <algorithm>
#include <charconv>

#include "ldm/core/error.h"
#include "ldm/core/utf8.h"

namespace ldm {
namespace {

constexpr char32_t kSelector = 0xFE0F;
constexpr size_t kMaxSequence = 32;  // The longest real one has 10 code points.

bool is_skin_tone(char32_t c) { return c >= 0x1F3FB && c <= 0x1F3FF; }

std::string_view trim_spaces(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// Cuts the part before `end` off the front of `rest`; the whole if there is no `end`.
std::string_view cut(std::string_view& rest, char end) {
  const size_t at = std::min(rest.find(end), rest.size());
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return part;
}

// One file, line by line: group and subgroup headings hold until the next ones.
class EmojiTestReader {
 public:
  EmojiTestReader(std::string_view text, std::string_view file_name) : text_(text), file_name_(file_name) {}

  std::vector<EmojiEntry> read() {
    while (!text_.empty()) {
      ++line_;
      const std::string_view line = trim_spaces(cut(text_, '\n'));
      if (line.starts_with("# group: ")) {
        group_ = line.substr(9);
      } else if (line.starts_with("# subgroup: ")) {
        subgroup_ = line.substr(12);
      } else if (!line.empty() && line.front() != '#') {
        read_entry(line);
      }
    }
    check(!entries_.empty(), ErrorKind::kFormat, "parse_emoji_test: expected fully-qualified sequences in ",
          file_name_, ", found none");
    return std::move(entries_);
  }

 private:
  void require(bool ok, std::string_view expected) const {
    check(ok, ErrorKind::kFormat, "parse_emoji_test: expected ", expected, " in line ", line_, " of ",
          file_name_);
  }

  // "1F355 ; fully-qualified # <emoji> E0.6 pizza"
  void read_entry(std::string_view line) {
    require(line.find(';') != std::string_view::npos && line.find('#') != std::string_view::npos,
            "'code points ; status # emoji version name'");
    const std::string_view points = cut(line, ';');
    if (trim_spaces(cut(line, '#')) != "fully-qualified") return;
    line = trim_spaces(line);
    cut(line, ' ');
    require(cut(line, ' ').starts_with("E"), "a version such as E0.6");
    require(!line.empty(), "a name");
    entries_.push_back({read_points(points), group_, subgroup_, std::string(line)});
  }

  std::u32string read_points(std::string_view text) const {
    std::u32string out;
    for (text = trim_spaces(text); !text.empty(); text = trim_spaces(text)) {
      const std::string_view digits = cut(text, ' ');
      uint32_t value = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
      require(error == std::errc() && end == digits.data() + digits.size() && value <= 0x10FFFF,
              "hexadecimal code points");
      out.push_back(value);
      require(out.size() <= kMaxSequence, "a shorter sequence");
    }
    require(!out.empty(), "code points");
    return out;
  }

  std::string_view text_;
  std::string_view file_name_;
  int64_t line_ = 0;
  std::string group_, subgroup_;
  std::vector<EmojiEntry> entries_;
};

void add_keyword(std::vector<std::string>& keywords, std::string_view word, std::string_view name) {
  if (word.empty() || word == name || std::find(keywords.begin(), keywords.end(), word) != keywords.end())
    return;
  keywords.emplace_back(word);
}

}  // namespace

std::vector<EmojiEntry> parse_emoji_test(std::span<const std::byte> text, std::string_view file_name) {
  return EmojiTestReader({reinterpret_cast<const char*>(text.data()), text.size()}, file_name).read();
}

int64_t count_skin_tones(std::u32string_view code_points) {
  return std::count_if(code_points.begin(), code_points.end(), is_skin_tone);
}

std::u32string without_selectors(std::u32string_view code_points) {
  std::u32string out(code_points);
  std::erase(out, kSelector);
  return out;
}

std::u32string concept_of(std::u32string_view code_points) {
  std::u32string out = without_selectors(code_points);
  std::erase_if(out, is_skin_tone);
  return out;
}

std::string hex_name(std::u32string_view code_points) {
  std::string out;
  for (char32_t c : without_selectors(code_points)) {
    char digits[8];
    const auto end = std::to_chars(digits, digits + sizeof digits, static_cast<uint32_t>(c), 16).ptr;
    if (!out.empty()) out += '-';
    out.append(4 - std::min<size_t>(4, static_cast<size_t>(end - digits)),
               '0');  // "0023", as file names have it.
    out.append(digits, end);
  }
  return out;
}

Annotation describe_emoji(const EmojiEntry& entry, const Annotations& cldr) {
  const auto found = cldr.find(encode_utf8(without_selectors(entry.code_points)));
  const bool known = found != cldr.end();
  Annotation out;
  out.name = known && !found->second.name.empty() ? found->second.name : entry.name;
  if (known) {
    for (const std::string& word : found->second.keywords) add_keyword(out.keywords, word, out.name);
  }
  for (std::string_view rest = entry.subgroup; !rest.empty();)
    add_keyword(out.keywords, cut(rest, '-'), out.name);
  return out;
}

}  // namespace ldm
