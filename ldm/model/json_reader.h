#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/io/json.h"

namespace ldm {

// Reads members of an untrusted JSON object with their types checked; an absent or null one gives
// `otherwise`. Throws kFormat, naming file and key.
class JsonReader {
 public:
  JsonReader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    check(object.is_object(), ErrorKind::kFormat, where_, ": expected a JSON object, got ",
          object.type_name());
  }

  bool has(const char* key) const { return object_.contains(key) && !object_[key].is_null(); }

  int64_t integer(const char* key, int64_t otherwise) const {
    if (!has(key)) return otherwise;
    expect(object_[key].is_number_integer(), key, "a whole number");
    return object_[key].get<int64_t>();
  }
  double number(const char* key, double otherwise) const {
    if (!has(key)) return otherwise;
    expect(object_[key].is_number(), key, "a number");
    return object_[key].get<double>();
  }
  bool boolean(const char* key, bool otherwise) const {
    if (!has(key)) return otherwise;
    expect(object_[key].is_boolean(), key, "true or false");
    return object_[key].get<bool>();
  }
  std::string text(const char* key, const std::string& otherwise = "") const {
    if (!has(key)) return otherwise;
    expect(object_[key].is_string(), key, "a text");
    return object_[key].get<std::string>();
  }
  // A list of `size` whole numbers; a single number stands for as many equal ones.
  std::vector<int64_t> integers(const char* key, size_t size, int64_t otherwise) const {
    if (!has(key) || !object_[key].is_array()) return std::vector<int64_t>(size, integer(key, otherwise));
    std::vector<int64_t> out;
    for (const auto& item : list(key, size)) {
      expect(item.is_number_integer(), key, "whole numbers");
      out.push_back(item.get<int64_t>());
    }
    return out;
  }
  std::vector<bool> booleans(const char* key, size_t size, bool otherwise) const {
    if (!has(key) || !object_[key].is_array()) return std::vector<bool>(size, boolean(key, otherwise));
    std::vector<bool> out;
    for (const auto& item : list(key, size)) {
      expect(item.is_boolean(), key, "true or false");
      out.push_back(item.get<bool>());
    }
    return out;
  }
  // A list of texts of any size up to 64.
  std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> out;
    if (!has(key)) return out;
    expect(object_[key].is_array() && object_[key].size() <= 64, key, "a list of at most 64 texts");
    for (const auto& item : object_[key]) {
      expect(item.is_string(), key, "texts");
      out.push_back(item.get<std::string>());
    }
    return out;
  }
  // A setting of which only one value is supported; absent is that value.
  void only(const char* key, const Json& value) const {
    check(!has(key) || object_[key] == value, ErrorKind::kFormat, where_, ": ", key, ": only ", value.dump(),
          " is supported, got ", object_.value(key, Json()).dump().substr(0, 60));
  }
  void expect(bool ok, const char* key, const char* what) const {
    check(ok, ErrorKind::kFormat, where_, ": ", key, ": expected ", what, ", got ",
          object_.value(key, Json()).dump().substr(0, 60));
  }
  const std::string& where() const { return where_; }

 private:
  const Json& list(const char* key, size_t size) const {
    check(object_[key].size() == size, ErrorKind::kFormat, where_, ": ", key, ": expected ", size,
          " entries, got ", object_[key].size());
    return object_[key];
  }
  const Json& object_;
  std::string where_;
};

}  // namespace ldm
