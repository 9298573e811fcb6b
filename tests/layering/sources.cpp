#include "tests/layering/sources.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace ldm::layering {
namespace {

namespace fs = std::filesystem;

Source read_source(const fs::path& root, const fs::path& file) {
  Source source{fs::relative(file, root).generic_string(), {}};
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) source.lines.push_back(line);
  return source;
}

// Words of letters, digits and '_' in `text`.
std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
      out.back() += c;
    } else if (!out.back().empty()) {
      out.emplace_back();
    }
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

}  // namespace

std::vector<Source> read_sources(const fs::path& root, const std::vector<std::string>& folders) {
  std::vector<Source> sources;
  for (const auto& folder : folders) {
    if (!fs::is_directory(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (extension == ".h" || extension == ".cpp" || extension == ".cu" || extension == ".cuh") {
        sources.push_back(read_source(root, entry.path()));
      }
    }
  }
  std::sort(sources.begin(), sources.end(), [](const Source& a, const Source& b) { return a.path < b.path; });
  return sources;
}

Page parse_page(const std::string& text) {
  Page page;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const auto begin = line.find_first_not_of(' ');
    if (begin == std::string::npos) continue;
    line.erase(0, begin);
    if (line.rfind("core <", 0) == 0) {
      std::istringstream parts(line);
      int rank = 0;
      for (std::string part; std::getline(parts, part, '<'); ++rank) {
        for (const auto& folder : words(part)) page.rank[folder] = rank;
      }
    } else if (line.rfind("without LibTorch:", 0) == 0) {
      page.plain = words(line.substr(line.find(':')));
    }
  }
  if (page.rank.empty()) throw std::runtime_error("ARCHITECTURE.md: no line begins with \"core <\"");
  if (page.plain.empty())
    throw std::runtime_error("ARCHITECTURE.md: no line begins with \"without LibTorch:\"");
  return page;
}

}  // namespace ldm::layering
