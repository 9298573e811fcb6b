#include "ldm/io/json.h"

#include <algorithm>
#include <set>
#include <utility>
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

// What the parser says, without its names for errors: "[json.exception.parse_error.101] parse error at line
// 1, column 2: ..." becomes "line 1, column 2: ...".
std::string plain_words(std::string_view message) {
  if (message.starts_with("[json.exception.")) message.remove_prefix(message.find("] ") + 2);
  constexpr std::string_view kPlace = "parse error at ";
  if (message.starts_with(kPlace)) message.remove_prefix(kPlace.size());
  return short_line(std::string(message));
}

// Builds the document token by token by the strict rules. (The library's own builder with a callback looks
// through a whole list again after each of its objects, for values that were not kept.)
class StrictBuilder : public nlohmann::json_sax<Json> {
 public:
  StrictBuilder(std::string_view what, const JsonLimits& limits) : what_(what), limits_(limits) {}

  Json take() { return std::move(root_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(int64_t value) override { return put(value); }
  bool number_unsigned(uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string&) override { return put(value); }
  bool string(std::string& value) override { return put(std::move(value)); }
  bool binary(Json::binary_t&) override { return false; }  // Not in text.
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    auto& level = levels_[depth_ - 1];
    check(level.keys.insert(name).second, ErrorKind::kFormat, what_, ": expected each key once, got '",
          short_line(name), "' twice");
    const bool skipped = std::find(limits_.skip.begin(), limits_.skip.end(), name) != limits_.skip.end();
    level.place = skipped || level.value == nullptr ? nullptr : &(*level.value)[name];
    return true;
  }

  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override {
    fail(ErrorKind::kFormat, what_, ": expected JSON; ", plain_words(error.what()));
  }

 private:
  // An array or object that is open. Of one that is not kept only the keys are looked at.
  struct Level {
    Json* value = nullptr;  // Null: not kept.
    Json* place = nullptr;  // Of an object: where the next value belongs. Null: nowhere.
    std::set<std::string> keys;
  };

  // Where the value went; null where it is not kept.
  Json* place(Json value) {
    if (depth_ == 0) return &(root_ = std::move(value));
    const auto& level = levels_[depth_ - 1];
    if (level.value == nullptr) return nullptr;
    if (level.value->is_array()) return &level.value->emplace_back(std::move(value));
    if (level.place == nullptr) return nullptr;
    return &(*level.place = std::move(value));
  }

  bool put(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json value) {
    check(static_cast<int64_t>(depth_) < limits_.max_depth, ErrorKind::kFormat, what_, ": expected at most ",
          limits_.max_depth, " nested levels of JSON, got more");
    Json* const at = place(std::move(value));
    if (levels_.size() == depth_) levels_.emplace_back();
    levels_[depth_].value = at;
    levels_[depth_].keys.clear();
    ++depth_;
    return true;
  }

  bool close() {
    --depth_;
    return true;
  }

  std::string_view what_;
  const JsonLimits& limits_;
  Json root_;
  std::vector<Level> levels_;  // Those that were open before stay, for their memory.
  size_t depth_ = 0;
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
  StrictBuilder builder(what, limits);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

std::string to_json(const Json& value, int indent) {
  try {
    return value.dump(indent);
  } catch (const Json::exception& error) {
    fail(ErrorKind::kUsage, "JSON: ", plain_words(error.what()));
  }
}

}  // namespace ldm
