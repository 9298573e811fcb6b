#include "ldm/io/json.h"

#include <algorithm>
#include <set>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/io/file.h"

namespace ldm {
namespace {

// One line and not longer than a reader wants.
std::string short_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  constexpr size_t kLongest = 200;
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

// Looks at every token while the document is built.
class StrictRules {
 public:
  StrictRules(std::string_view what, const JsonLimits& limits) : what_(what), limits_(limits) {}

  // False: do not keep the value. Inside of what is not kept the parser tells no ends, so only depths count.
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    switch (event) {
      case Json::parse_event_t::object_start:
      case Json::parse_event_t::array_start:
        check(depth < limits_.max_depth, ErrorKind::kFormat, what_, ": expected at most ", limits_.max_depth,
              " nested levels of JSON, got more");
        keys_.resize(static_cast<size_t>(depth) + 1);
        keys_.back().clear();
        break;
      case Json::parse_event_t::key: {
        const auto& key = parsed.get_ref<const std::string&>();
        check(keys_.at(static_cast<size_t>(depth) - 1).insert(key).second, ErrorKind::kFormat, what_,
              ": expected each key once, got '", short_line(key), "' twice");
        return std::find(limits_.skip.begin(), limits_.skip.end(), key) == limits_.skip.end();
      }
      case Json::parse_event_t::object_end:
      case Json::parse_event_t::array_end:
      case Json::parse_event_t::value:
        break;
    }
    return true;
  }

 private:
  std::string_view what_;
  const JsonLimits& limits_;
  std::vector<std::set<std::string>> keys_;  // One set for each depth, of the array or object opened last.
};

}  // namespace

Json parse_json(std::span<const std::byte> bytes, std::string_view what, const JsonLimits& limits) {
  check(bytes.size() <= limits.max_bytes, ErrorKind::kFormat, what, ": expected at most ", limits.max_bytes,
        " bytes of JSON, got ", bytes.size());
  const auto text = as_text(bytes);
  check(!text.starts_with("\xEF\xBB\xBF"), ErrorKind::kFormat, what,
        ": expected JSON, got a byte order mark");
  // The parser would take a zero byte for the end and not look at what follows.
  check(text.find('\0') == text.npos, ErrorKind::kFormat, what, ": expected JSON, got a zero byte");
  StrictRules rules(what, limits);
  try {
    return Json::parse(text.begin(), text.end(), std::ref(rules));
  } catch (const Json::exception& error) {
    fail(ErrorKind::kFormat, what, ": expected JSON, got ", short_line(error.what()));
  }
}

std::string to_json(const Json& value, int indent) {
  try {
    return value.dump(indent);
  } catch (const Json::exception& error) {
    fail(ErrorKind::kUsage, "to_json: ", short_line(error.what()));
  }
}

}  // namespace ldm
