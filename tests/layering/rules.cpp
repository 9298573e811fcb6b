#include <algorithm>

#include "tests/layering/sources.h"

namespace ldm::layering {
namespace {

constexpr std::size_t kMostFileLines = 500;
constexpr std::size_t kMostFunctionLines = 60;

bool starts(const std::string& text, const std::string& prefix) { return text.rfind(prefix, 0) == 0; }
bool ends(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() &&
         text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

// "nn" of ldm/nn/unet.h, "cli" of cli/main.cpp, "" elsewhere.
std::string folder_of(const std::string& path) {
  if (starts(path, "cli/")) return "cli";
  if (!starts(path, "ldm/")) return "";
  const auto end = path.find('/', 4);
  return end == std::string::npos ? "" : path.substr(4, end - 4);
}

// The included path of an #include line, with its first delimiter in front: "\"ldm/nn/unet.h" or
// "<torch/types.h".
std::string included(const std::string& line) {
  const auto hash = line.find_first_not_of(" \t");
  if (hash == std::string::npos || line[hash] != '#' || line.find("include", hash) == std::string::npos)
    return "";
  const auto begin = line.find_first_of("\"<");
  if (begin == std::string::npos) return "";
  return line.substr(begin, line.find_first_of("\">", begin + 1) - begin);
}

std::string at(const Source& source, std::size_t line, const std::string& what) {
  return source.path + ":" + std::to_string(line + 1) + ": " + what;
}

// Calls visit(source, line number, included path without its delimiter, is it in angle brackets).
template <typename Visit>
void each_include(const std::vector<Source>& sources, const Visit& visit) {
  for (const auto& source : sources) {
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      const std::string path = included(source.lines[i]);
      if (!path.empty()) visit(source, i, path.substr(1), path[0] == '<');
    }
  }
}

// A line without its // comment and without what stands in "quotes".
std::string code_of(const std::string& line) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      if (line.compare(i, 2, "//") == 0) break;
      out += line[i];
    }
  }
  return out;
}

bool has_word(const std::string& code, const std::string& word) {
  const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (auto i = code.find(word); i != std::string::npos; i = code.find(word, i + 1)) {
    const auto end = i + word.size();
    if ((i == 0 || !letter(code[i - 1])) && (end == code.size() || !letter(code[end]))) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> check_order(const std::vector<Source>& sources, const Page& page) {
  std::vector<std::string> out;
  for (const auto& source : sources) {
    const auto folder = folder_of(source.path);
    if (starts(source.path, "ldm/") && page.rank.count(folder) == 0) {
      out.push_back(source.path + ": the folder '" + folder + "' is not in ARCHITECTURE.md");
    }
  }
  each_include(sources, [&](const Source& source, std::size_t line, const std::string& path, bool) {
    const auto from = page.rank.find(folder_of(source.path));
    const auto name = folder_of(path);
    if (name.empty() || from == page.rank.end() || name == from->first) return;
    const auto to = page.rank.find(name);
    if (to == page.rank.end() || to->second >= from->second) {
      out.push_back(at(source, line, from->first + " may not include " + path));
    }
  });
  return out;
}

// core/noise.* and core/brownian.* make tensors though their folder is plain; they are a library of their
// own.
std::vector<std::string> check_plain(const std::vector<Source>& sources, const Page& page) {
  std::vector<std::string> out;
  each_include(sources, [&](const Source& source, std::size_t line, const std::string& path, bool) {
    const auto folder = folder_of(source.path);
    if (std::find(page.plain.begin(), page.plain.end(), folder) == page.plain.end()) return;
    if (starts(source.path, "ldm/core/noise.") || starts(source.path, "ldm/core/brownian.")) return;
    const bool torch = starts(path, "torch/") || starts(path, "ATen/") || starts(path, "c10/") ||
                       path == "ldm/core/noise.h" || path == "ldm/core/brownian.h";
    if (torch)
      out.push_back(at(source, line, folder + " is to build without LibTorch, but includes " + path));
  });
  return out;
}

std::vector<std::string> check_torch_header(const std::vector<Source>& sources) {
  std::vector<std::string> out;
  each_include(sources, [&](const Source& source, std::size_t line, const std::string& path, bool) {
    if (path == "torch/torch.h") out.push_back(at(source, line, "torch/torch.h takes 30 s to compile"));
  });
  return out;
}

std::vector<std::string> check_file_sizes(const std::vector<Source>& sources) {
  std::vector<std::string> out;
  for (const auto& source : sources) {
    if (source.lines.size() <= kMostFileLines) continue;
    out.push_back(source.path + ": " + std::to_string(source.lines.size()) +
                  " lines, at most 500 are allowed");
  }
  return out;
}

// With the project's clang-format, a function's body ends with "}" in the first column.
std::vector<std::string> check_function_sizes(const std::vector<Source>& sources) {
  std::vector<std::string> out;
  for (const auto& source : sources) {
    std::size_t begin = 0;
    bool inside = false, in_value = false;
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      const auto& line = source.lines[i];
      const bool first_column =
          !line.empty() && line[0] != ' ' && line[0] != '}' && line[0] != '#' && line[0] != '/';
      // A constant, of whatever length: a table, a text.
      if (!inside && first_column && starts(line, "const") && line.find(" = ") != std::string::npos)
        in_value = true;
      if (in_value) {
        in_value = !ends(line, ";");
        continue;
      }
      if (!inside && first_column) {
        begin = i;
        const bool scope = starts(line, "namespace") || starts(line, "class ") || starts(line, "struct ") ||
                           starts(line, "enum ") || starts(line, "extern \"C\" {");
        inside = !scope;
      }
      if (inside && (ends(line, ";") || line.empty()) && begin == i) inside = false;
      if (!inside || line.empty() || line[0] != '}') continue;
      inside = false;
      const bool data = ends(line, "};");  // A table of values may be long.
      if (!data && i - begin + 1 > kMostFunctionLines) {
        out.push_back(
            at(source, begin,
               "a function of " + std::to_string(i - begin + 1) + " lines, at most 60 are allowed"));
      }
    }
  }
  return out;
}

std::vector<std::string> check_silence(const std::vector<Source>& sources) {
  const std::vector<std::string> loud = {"std::cout", "std::cerr", "std::clog", "printf",
                                         "puts",      "std::exit", "getenv",    "abort"};
  std::vector<std::string> out;
  for (const auto& source : sources) {
    const bool library = starts(source.path, "ldm/");
    if (!library && (!starts(source.path, "cli/") || source.path == "cli/main.cpp")) continue;
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      const auto code = code_of(source.lines[i]);
      for (const auto& word : loud) {
        if (!has_word(code, word) || (!library && word != "getenv")) continue;
        out.push_back(
            at(source, i, (library ? "the library may not use " : "only cli/main.cpp may use ") + word));
      }
    }
  }
  return out;
}

std::vector<std::string> check_headers(const std::vector<Source>& sources) {
  std::vector<std::string> out;
  for (const auto& source : sources) {
    if (!ends(source.path, ".h") || !(starts(source.path, "ldm/") || starts(source.path, "cli/"))) continue;
    if (source.lines.empty() || source.lines[0] != "#pragma once")
      out.push_back(at(source, 0, "expected #pragma once first"));
    for (std::size_t i = 1; i < source.lines.size(); ++i) {
      const auto& line = source.lines[i];
      const bool type =
          starts(line, "class ") && ends(line, "{");  // A struct may explain itself by its fields.
      auto above = i - 1;
      while (above > 0 && starts(source.lines[above], "template")) --above;
      if (type && !starts(source.lines[above], "//"))
        out.push_back(at(source, i, "say above it what this is: " + line));
    }
  }
  return out;
}

}  // namespace ldm::layering
