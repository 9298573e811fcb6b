#include "ldm/data/cldr_annotations.h"

#include <charconv>
#include <cstdint>

#include "ldm/core/error.h"
#include "ldm/core/utf8.h"

namespace ldm {
namespace {

constexpr size_t kMaxDepth = 64;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// One start tag; `empty` for <a/>.
struct Tag {
  std::string_view name;
  std::map<std::string_view, std::string> attributes;
  bool empty = false;
};

class AnnotationReader {
 public:
  AnnotationReader(std::string_view text, std::string_view file_name, Annotations& out)
      : text_(text), file_name_(file_name), out_(out) {}

  void read() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    while (at_ < text_.size()) {
      if (text_[at_] != '<') {
        read_text();
      } else if (starts_with("<!--")) {
        skip_past("-->");
      } else if (starts_with("<?")) {
        skip_past("?>");
      } else if (starts_with("<!DOCTYPE")) {
        skip_past(">");
      } else if (starts_with("</")) {
        read_end_tag();
      } else {
        read_start_tag();
      }
    }
    require(open_.empty() && seen_root_, "the end of every element");
  }

 private:
  void require(bool ok, std::string_view expected) const {
    check(ok, ErrorKind::kFormat, "parse_annotations: expected ", expected, " at byte ", at_, " of ",
          file_name_);
  }
  bool starts_with(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void skip_past(std::string_view end) {
    const size_t found = text_.find(end, at_);
    require(found != std::string_view::npos, end);
    at_ = found + end.size();
  }
  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  void take(char c) {
    require(at_ < text_.size() && text_[at_] == c, std::string("'") + c + "'");
    ++at_;
  }
  std::string_view take_name() {
    const size_t begin = at_;
    const auto is_end = [](char c) { return is_space(c) || c == '=' || c == '>' || c == '/' || c == '<'; };
    while (at_ < text_.size() && !is_end(text_[at_])) ++at_;
    require(at_ > begin, "a name");
    return text_.substr(begin, at_ - begin);
  }

  void read_text() {
    const size_t end = std::min(text_.find('<', at_), text_.size());
    const std::string_view raw = text_.substr(at_, end - at_);
    if (in_annotation()) {
      content_ += unescape(raw);
    } else if (open_.empty()) {
      require(trim(raw).empty(), "an element");
    }
    at_ = end;
  }

  void read_start_tag() {
    take('<');
    Tag tag{take_name(), {}, false};
    for (skip_spaces(); at_ < text_.size() && text_[at_] != '>' && text_[at_] != '/'; skip_spaces()) {
      const std::string_view name = take_name();
      skip_spaces();
      take('=');
      skip_spaces();
      require(tag.attributes.emplace(name, take_value()).second, "an attribute once");
    }
    if (at_ < text_.size() && text_[at_] == '/') {
      tag.empty = true;
      ++at_;
    }
    take('>');
    open(std::move(tag));
  }

  std::string take_value() {
    require(at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\''), "a quoted value");
    const char quote = text_[at_++];
    const size_t end = text_.find(quote, at_);
    require(end != std::string_view::npos, "the closing quote");
    const std::string_view raw = text_.substr(at_, end - at_);
    require(raw.find('<') == std::string_view::npos, "a value without '<'");
    std::string value = unescape(raw);
    at_ = end + 1;
    return value;
  }

  void open(Tag tag) {
    require(!open_.empty() || !seen_root_, "one root element");
    require(!in_annotation(), "only text inside <annotation>");
    require(open_.size() < kMaxDepth, "less depth");
    seen_root_ = true;
    if (tag.empty) return;
    if (tag.name == "annotation") {
      require(tag.attributes.contains("cp"), "the attribute cp of <annotation>");
      content_.clear();
      annotation_ = tag;
    }
    open_.push_back(tag.name);
  }

  void read_end_tag() {
    at_ += 2;
    const std::string_view name = take_name();
    require(!open_.empty() && open_.back() == name, "the end of the innermost element");
    skip_spaces();
    take('>');
    if (in_annotation()) store();
    open_.pop_back();
  }

  bool in_annotation() const { return !open_.empty() && open_.back() == "annotation"; }

  void store() {
    Annotation& entry = out_[annotation_.attributes["cp"]];
    const auto type = annotation_.attributes.find("type");
    if (type != annotation_.attributes.end()) {
      if (type->second == "tts") entry.name = trim(content_);
      return;
    }
    entry.keywords.clear();
    for (std::string_view rest = content_; !rest.empty();) {
      const size_t bar = std::min(rest.find('|'), rest.size());
      const std::string_view word = trim(rest.substr(0, bar));
      if (!word.empty()) entry.keywords.emplace_back(word);
      rest.remove_prefix(std::min(bar + 1, rest.size()));
    }
  }

  std::string unescape(std::string_view raw) const {
    std::string out;
    while (!raw.empty()) {
      const size_t amp = std::min(raw.find('&'), raw.size());
      out += raw.substr(0, amp);
      raw.remove_prefix(amp);
      if (raw.empty()) break;
      const size_t end = raw.find(';');
      require(end != std::string_view::npos, "';' of an entity");
      append_entity(out, raw.substr(1, end - 1));
      raw.remove_prefix(end + 1);
    }
    return out;
  }

  void append_entity(std::string& out, std::string_view name) const {
    if (name.starts_with("#")) return append_reference(out, name.substr(1));
    static const std::map<std::string_view, char> kNamed = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    const auto found = kNamed.find(name);
    require(found != kNamed.end(), "one of the five named entities");
    out += found->second;
  }

  void append_reference(std::string& out, std::string_view digits) const {
    const bool hex = digits.starts_with("x");
    if (hex) digits.remove_prefix(1);
    uint32_t value = 0;
    const char* last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, value, hex ? 16 : 10);
    require(error == std::errc() && end == last && value > 0 && value <= 0x10FFFF, "a character reference");
    append_utf8(out, value);
  }

  std::string_view text_;
  std::string_view file_name_;
  Annotations& out_;
  size_t at_ = 0;
  bool seen_root_ = false;
  std::vector<std::string_view> open_;  // Names of the elements around at_.
  Tag annotation_;                      // The <annotation> being read, and its text so far.
  std::string content_;
};

}  // namespace

void parse_annotations(std::span<const std::byte> xml, std::string_view file_name, Annotations& out) {
  const std::string_view text(reinterpret_cast<const char*>(xml.data()), xml.size());
  AnnotationReader(text, file_name, out).read();
}

}  // namespace ldm
