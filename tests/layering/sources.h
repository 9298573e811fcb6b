#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ldm::layering {

// One C++ file: its path from the project's root with '/', and its lines.
struct Source {
  std::string path;
  std::vector<std::string> lines;
};

// What ARCHITECTURE.md promises.
struct Page {
  std::map<std::string, int> rank;  // Folder -> place in the one-way order; equal in one bracket.
  std::vector<std::string> plain;   // Folders without LibTorch.
};

// All .h, .cpp, .cu and .cuh files below the given folders of `root`, sorted.
std::vector<Source> read_sources(const std::filesystem::path& root, const std::vector<std::string>& folders);

// Reads the line that begins with "core <" ("a < (b, c) < d") and the one that begins with "without
// LibTorch:".
Page parse_page(const std::string& text);

// Each rule returns one line per violation: "path:line: what".
std::vector<std::string> check_order(const std::vector<Source>& sources, const Page& page);
std::vector<std::string> check_plain(const std::vector<Source>& sources, const Page& page);
std::vector<std::string> check_torch_header(const std::vector<Source>& sources);
std::vector<std::string> check_file_sizes(const std::vector<Source>& sources);
std::vector<std::string> check_function_sizes(const std::vector<Source>& sources);
std::vector<std::string> check_silence(const std::vector<Source>& sources);
std::vector<std::string> check_headers(const std::vector<Source>& sources);

}  // namespace ldm::layering
