#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ldm {

struct NodeEntry;

// A tree of settings as YAML writes them: null, scalar, sequence or map, each with the place it came from.
// Scalars keep their text; what type it has is decided by who reads it (config/scalar.h). Maps keep their
// order.
class Node {
 public:
  enum class Kind { kNull, kScalar, kSequence, kMap };

  Node() = default;                      // Null.
  static Node scalar(std::string text);  // Plain text such as 1e-4 or true, whose type follows from its look.
  static Node string(std::string text);  // Always a string, even if it looks like a number.
  static Node boolean(bool value);
  static Node integer(int64_t value);
  static Node number(double value);
  static Node sequence();
  static Node sequence(std::vector<Node> items);
  static Node map();

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_scalar() const { return kind_ == Kind::kScalar; }
  bool is_sequence() const { return kind_ == Kind::kSequence; }
  bool is_map() const { return kind_ == Kind::kMap; }
  std::string_view kind_name() const;  // "null", "a scalar", "a list", "a map".

  const std::string& text() const { return text_; }  // Of a scalar; "" otherwise.
  bool quoted() const { return quoted_; }            // A scalar that is a string whatever it looks like.

  const std::vector<Node>& items() const { return items_; }  // Of a sequence; empty otherwise.
  std::vector<Node>& items() { return items_; }
  void push_back(Node item);  // Throws kInternal unless a sequence.

  const std::vector<NodeEntry>& entries() const { return entries_; }  // Of a map; empty otherwise.
  std::vector<NodeEntry>& entries() { return entries_; }
  const Node* find(std::string_view key) const;  // Null pointer if there is no such key, or this is no map.
  Node* find(std::string_view key);
  // The entry of that name. Throws kUsage naming the nearest key and the place.
  const Node& at(std::string_view key) const;
  void set(std::string_view key,
           Node value);  // Adds or replaces. A null node becomes a map. Throws kInternal otherwise.
  bool erase(std::string_view key);  // False if there was none.

  // Walks "model.params.unet_config" through maps and list indices; null pointer if a step is missing.
  const Node* find_path(std::string_view dotted) const;

  // Where it came from: "config.yaml:12", or "" if made by the program.
  std::string where() const;
  int64_t line() const { return line_; }  // From 1; 0 when unknown.
  void set_source(std::shared_ptr<const std::string> source, int64_t line);

  // Equal kinds, texts, quoting of strings, items and entries in the same order; the places do not count.
  bool operator==(const Node& other) const;

 private:
  Kind kind_ = Kind::kNull;
  bool quoted_ = false;
  std::string text_;
  std::vector<Node> items_;
  std::vector<NodeEntry> entries_;
  std::shared_ptr<const std::string> source_;
  int64_t line_ = 0;
};

struct NodeEntry {
  std::string key;
  Node value;
  bool operator==(const NodeEntry&) const = default;
};

}  // namespace ldm
