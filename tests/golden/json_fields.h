#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ldm/core/error.h"

namespace ldm::golden {

// Fills an options struct by its field list from the config of a case, whose keys are the original's. A null
// leaves the default; a key that the struct does not list is a usage error, so that the case counts as
// skipped.
class JsonFields {
 public:
  explicit JsonFields(const nlohmann::json& config) : rest_(config) {}

  template <typename T>
  void operator()(std::string_view name, T& field, std::string_view) {
    const auto found = rest_.find(std::string(name));
    if (found == rest_.end()) return;
    if (!found->is_null()) assign(*found, field);
    rest_.erase(found);
  }

  void ignored(std::string_view name, std::string_view) { rest_.erase(std::string(name)); }

  void only(std::string_view name, std::string_view value, std::string_view why) {
    const auto found = rest_.find(std::string(name));
    if (found == rest_.end()) return;
    const auto text = found->is_string() ? found->get<std::string>() : found->dump();
    check(found->is_null() || text == value, name, ": ", why);
    rest_.erase(found);
  }

  void check_done() const {
    check(rest_.empty(), "unknown key ", rest_.empty() ? std::string() : rest_.begin().key());
  }

 private:
  template <typename T>
  static void assign(const nlohmann::json& value, T& field) {
    field = value.get<T>();
  }
  static void assign(const nlohmann::json& value, std::string& field) {
    field = value.is_string() ? value.get<std::string>() : value.dump();
  }
  template <typename T>
  static void assign(const nlohmann::json& value, std::optional<T>& field) {
    assign(value, field.emplace());
  }
  template <typename T>
  static void assign(const nlohmann::json& value, std::vector<T>& field) {
    field = value.is_array() ? value.get<std::vector<T>>() : std::vector<T>{value.get<T>()};
  }

  nlohmann::json rest_;
};

template <typename Options>
Options read_json_options(const nlohmann::json& config) {
  Options options;
  JsonFields fields(config);
  options.fields(fields);
  fields.check_done();
  return options;
}

}  // namespace ldm::golden
