#include "tests/zoo/published.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include "ldm/core/error.h"
#include "tests/golden/hash_weights.h"

namespace ldm::zoo {
namespace {

std::map<std::string, std::string> read_key_lists(const std::string& field) {
  std::map<std::string, std::string> out;
  std::istringstream parts(field == "-" ? "" : field);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto equals = part.find('=');
    out[part.substr(0, equals)] = part.substr(equals + 1);
  }
  return out;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (const auto size : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
}

void compare_keys(const std::map<std::string, std::vector<int64_t>>& have, const std::string& prefix,
                  const std::filesystem::path& list, std::vector<std::string>& out) {
  std::map<std::string, std::vector<int64_t>> want;
  for (const auto& [name, shape] : golden::read_shapes(list)) want[prefix + name] = shape;
  for (const auto& [name, shape] : want) {
    const auto found = have.find(name);
    if (found == have.end()) {
      out.push_back(name + ": missing");
    } else if (found->second != shape) {
      out.push_back(name + ": expected " + shape_text(shape) + ", got " + shape_text(found->second));
    }
  }
  for (auto it = have.lower_bound(prefix); it != have.end() && it->first.starts_with(prefix); ++it) {
    if (want.count(it->first) == 0) out.push_back(it->first + ": not in the original");
  }
}

}  // namespace

std::vector<std::pair<std::string, std::vector<PublishedPart>>> read_published(
    const std::filesystem::path& table) {
  std::ifstream in(table);
  check(static_cast<bool>(in), ErrorKind::kData, "zoo: cannot open ", table.string());
  std::vector<std::pair<std::string, std::vector<PublishedPart>>> out;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string file, keys;
    PublishedPart part;
    fields >> file >> part.name >> part.tensors >> part.parameters >> keys;
    check(static_cast<bool>(fields), ErrorKind::kFormat, "zoo: expected five fields, got '", line, "'");
    part.keys = read_key_lists(keys);
    if (out.empty() || out.back().first != file) out.push_back({file, {}});
    out.back().second.push_back(std::move(part));
  }
  return out;
}

std::string count_like(const std::string& like, int64_t parameters) {
  if (like.empty() || like.back() != 'M') return std::to_string(parameters);
  const auto digits = static_cast<int>(like.size() - like.find('.') - 2);
  char text[64];
  std::snprintf(text, sizeof text, "%.*fM", digits, static_cast<double>(parameters) / 1e6);
  return text;
}

std::vector<std::string> differences(const ModelPart& part, const PublishedPart& published,
                                     const std::filesystem::path& keys) {
  std::vector<std::string> out;
  const auto count = count_like(published.parameters, part.parameters());
  if (published.parameters != "?" && count != published.parameters) {
    out.push_back("expected " + published.parameters + " parameters, got " + count);
  }
  const auto tensors = std::to_string(part.tensors.size());
  if (published.tensors != "-" && tensors != published.tensors) {
    out.push_back("expected " + published.tensors + " tensors, got " + tensors);
  }
  std::map<std::string, std::vector<int64_t>> have;
  for (const auto& tensor : part.tensors) have[tensor.name] = tensor.shape;
  for (const auto& [prefix, list] : published.keys) compare_keys(have, prefix, keys / (list + ".txt"), out);
  return out;
}

}  // namespace ldm::zoo
