#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "ldm/config/node.h"

namespace ldm {

struct YamlLimits {
  uint64_t max_bytes = 4 << 20;
  int64_t max_depth = 64;       // Nested lists and maps.
  int64_t max_nodes = 200'000;  // After aliases (*name) are replaced by what they stand for.
};

// Reads one YAML document; an empty one is null. Anchors and aliases are expanded; duplicate keys, tags other
// than the core schema's, merge keys (<<) and further documents are refused. `name` stands in errors and
// Node::where(). Throws kFormat "name:line: ...".
Node parse_yaml(std::span<const std::byte> bytes, std::string_view name, const YamlLimits& limits = {});
Node parse_yaml(std::string_view text, std::string_view name, const YamlLimits& limits = {});

// Throws kData if the file cannot be read.
Node read_yaml(const std::filesystem::path& path, const YamlLimits& limits = {});

// Block style; lists of scalars stand on one line. parse_yaml gives back an equal tree. Strings are quoted
// where they would be taken for something else.
std::string to_yaml(const Node& node);

// The same on one line: {a: 1, b: [2, 3]}.
std::string to_yaml_flow(const Node& node);

}  // namespace ldm
