#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ldm/config/node.h"

// The visitors behind config/options.h, and how each field type is read and written. Not for direct use.
namespace ldm {

// Stands for any visitor when a type is asked whether it lists fields.
struct FieldProbe {
  template <typename T>
  void operator()(std::string_view, T&, std::string_view = "") {}
  template <typename T>
  void group(std::string_view, T&, std::string_view = "") {}
  void node(std::string_view, Node&, std::string_view = "") {}
  void ignored(std::string_view, std::string_view) {}
  void only(std::string_view, std::string_view, std::string_view) {}
};

template <typename T>
concept HasFields = requires(T& options, FieldProbe& probe) {
  options.fields(probe);
};

// Reading: all throw kUsage "where: path: expected ..., got ...".
[[noreturn]] void fail_value(const Node& node, std::string_view path, std::string_view expected);
void read_value(const Node& node, std::string_view path, bool& out);
void read_value(const Node& node, std::string_view path, double& out);
void read_value(const Node& node, std::string_view path, std::string& out);
inline void read_value(const Node& node, std::string_view, Node& out) { out = node; }
int64_t read_integer(const Node& node, std::string_view path, int64_t low, int64_t high);

template <std::integral T>
void read_value(const Node& node, std::string_view path, T& out) {
  constexpr auto kHighest =
      std::min<uint64_t>(std::numeric_limits<T>::max(), std::numeric_limits<int64_t>::max());
  constexpr int64_t kLowest = std::is_signed_v<T> ? static_cast<int64_t>(std::numeric_limits<T>::min()) : 0;
  out = static_cast<T>(read_integer(node, path, kLowest, static_cast<int64_t>(kHighest)));
}

template <typename T>
void read_value(const Node& node, std::string_view path, std::vector<T>& out);
template <typename T>
void read_value(const Node& node, std::string_view path, std::optional<T>& out);
template <HasFields T>
void read_value(const Node& node, std::string_view path, T& out);

// Writing.
inline Node write_value(bool value) { return Node::boolean(value); }
inline Node write_value(double value) { return Node::number(value); }
inline Node write_value(const std::string& value) { return Node::string(value); }
inline Node write_value(const Node& value) { return value; }
template <std::integral T>
Node write_value(T value) {
  return Node::integer(static_cast<int64_t>(value));
}
template <typename T>
Node write_value(const std::vector<T>& value);
template <typename T>
Node write_value(const std::optional<T>& value);
template <HasFields T>
Node write_value(const T& value);

// Sets fields from a map and remembers which keys there are.
class FieldReader {
 public:
  FieldReader(const Node& node, std::string_view path);  // Throws kUsage unless the node is a map.

  template <typename T>
  void operator()(std::string_view name, T& field, std::string_view = "") {
    if (const Node* value = take(name)) read_value(*value, full_name(name), field);
  }
  template <HasFields T>
  void group(std::string_view name, T& field, std::string_view = "") {
    (*this)(name, field);
  }
  void node(std::string_view name, Node& field, std::string_view = "") { (*this)(name, field); }
  void ignored(std::string_view name, std::string_view) { take(name); }
  void only(std::string_view name, std::string_view value, std::string_view why);

  void refuse_unknown() const;

 private:
  const Node* take(std::string_view name);  // Null pointer if the map has no such key.
  std::string full_name(std::string_view name) const;

  const Node& node_;
  std::string path_;
  std::vector<std::string> known_;
};

// Visits an options struct and gathers its values into a map node.
class FieldWriter {
 public:
  template <typename T>
  void operator()(std::string_view name, T& field, std::string_view = "") {
    map_.set(name, write_value(std::as_const(field)));
  }
  template <HasFields T>
  void group(std::string_view name, T& field, std::string_view = "") {
    (*this)(name, field);
  }
  void node(std::string_view name, Node& field, std::string_view = "") { (*this)(name, field); }
  void ignored(std::string_view, std::string_view) {}
  void only(std::string_view, std::string_view, std::string_view) {}

  Node take() { return std::move(map_); }

 private:
  Node map_ = Node::map();
};

// Visits an options struct and gathers one help line a field.
class FieldHelp {
 public:
  explicit FieldHelp(std::string_view prefix) : prefix_(prefix) {}

  template <typename T>
  void operator()(std::string_view name, T& field, std::string_view help = "") {
    if constexpr (HasFields<T>) {
      group(name, field, help);
    } else {
      add(name, write_value(std::as_const(field)), help);
    }
  }
  template <HasFields T>
  void group(std::string_view name, T& field, std::string_view = "") {
    const std::string outer = prefix_;
    prefix_ += (prefix_.empty() ? "" : ".") + std::string(name);
    field.fields(*this);
    prefix_ = outer;
  }
  void node(std::string_view name, Node& field, std::string_view help = "") { (*this)(name, field, help); }
  void ignored(std::string_view, std::string_view) {}
  void only(std::string_view, std::string_view, std::string_view) {}

  std::string text() const;

 private:
  void add(std::string_view name, const Node& value, std::string_view help);

  struct Line {
    std::string setting, help;
  };
  std::string prefix_;
  std::vector<Line> lines_;
};

// Visits an options struct and gathers the keys of a map that are accepted without effect.
class IgnoredFields {
 public:
  IgnoredFields(const Node& node, std::string_view path, std::vector<std::string>& found)
      : node_(node), path_(path), found_(found) {}

  template <typename T>
  void operator()(std::string_view name, T& field, std::string_view = "") {
    if constexpr (HasFields<T>) group(name, field);
  }
  template <HasFields T>
  void group(std::string_view name, T& field, std::string_view = "") {
    const Node* inner = node_.find(name);
    if (inner != nullptr) field.fields(IgnoredFields(*inner, path_ + "." + std::string(name), found_));
  }
  void node(std::string_view, Node&, std::string_view = "") {}
  void ignored(std::string_view name, std::string_view why);
  void only(std::string_view, std::string_view, std::string_view) {}

 private:
  const Node& node_;
  std::string path_;
  std::vector<std::string>& found_;
};

template <typename T>
void read_value(const Node& node, std::string_view path, std::vector<T>& out) {
  if (node.is_scalar()) {  // A list of one: the original says num_res_blocks: 2 as well as [2, 2].
    T value{};
    read_value(node, path, value);
    out.assign(1, std::move(value));
    return;
  }
  if (!node.is_sequence()) fail_value(node, path, "a list");
  std::vector<T> values;
  for (const auto& item : node.items()) {
    T value{};  // A variable, since the elements of std::vector<bool> are none.
    read_value(item, std::string(path) + "." + std::to_string(values.size()), value);
    values.push_back(std::move(value));
  }
  out = std::move(values);
}

template <typename T>
void read_value(const Node& node, std::string_view path, std::optional<T>& out) {
  if (node.is_null()) {
    out.reset();
    return;
  }
  T value = out.value_or(T{});
  read_value(node, path, value);
  out = std::move(value);
}

template <HasFields T>
void read_value(const Node& node, std::string_view path, T& out) {
  if (node.is_null()) return;
  FieldReader reader(node, path);
  out.fields(reader);
  reader.refuse_unknown();
}

template <typename T>
Node write_value(const std::vector<T>& value) {
  Node list = Node::sequence();
  for (const auto& item : value) list.push_back(write_value(static_cast<const T&>(item)));
  return list;
}

template <typename T>
Node write_value(const std::optional<T>& value) {
  return value ? write_value(*value) : Node();
}

template <HasFields T>
Node write_value(const T& value) {
  FieldWriter writer;
  T copy = value;
  copy.fields(writer);
  return writer.take();
}

}  // namespace ldm
