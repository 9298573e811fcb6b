#include "ldm/data/folder_index.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "ldm/core/error.h"
#include "ldm/io/file.h"
#include "ldm/io/json.h"

namespace ldm {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxMetadata = uint64_t{4} << 30;
constexpr uint64_t kMaxCaption = 1 << 20;

// The fields of one line of metadata.jsonl.
class MetadataLine {
 public:
  MetadataLine(std::string_view text, std::string where)
      : where_(std::move(where)), json_(parse_json(as_bytes(text), where_)) {
    require(json_.is_object(), "an object");
  }

  ExampleInfo read() const {
    ExampleInfo out;
    out.id = fs::path(text("file_name")).lexically_normal().generic_string();
    require(!out.id.empty(), "file_name");
    require(!out.id.starts_with("/") && !out.id.starts_with(".."), "a file_name inside the folder");
    out.words = {text(json_.contains("text") ? "text" : "caption"), keywords(), text("colour"),
                 text("style")};
    out.split = text("split");
    if (json_.contains("weight")) {
      require(json_["weight"].is_number(), "a number as weight");
      out.weight = json_["weight"].get<double>();
      require(std::isfinite(out.weight) && out.weight > 0, "a weight > 0");
    }
    out.label = label();
    return out;
  }

  // The class by its name; empty where it has none, or a number.
  std::string class_name() const { return label() >= 0 ? "" : text("class"); }

 private:
  void require(bool ok, std::string_view expected) const {
    check(ok, ErrorKind::kFormat, where_, ": expected ", expected);
  }

  // The class by its number: a label, or else a class that is one. -1 without.
  int64_t label() const {
    const std::string key = json_.contains("label") ? "label" : "class";
    if (!json_.contains(key) || (key == "class" && !json_[key].is_number())) return -1;
    require(json_[key].is_number_unsigned(), "an integer >= 0 as " + key);
    return json_[key].get<int64_t>();
  }

  // A string; empty for null and for a missing key.
  std::string text(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end() || found->is_null()) return "";
    require(found->is_string(), std::string("a string as ") + key);
    return found->get<std::string>();
  }

  std::vector<std::string> keywords() const {
    std::vector<std::string> out;
    const auto found = json_.find("keywords");
    if (found == json_.end() || found->is_null()) return out;
    require(found->is_array(), "a list as keywords");
    for (const Json& word : *found) {
      require(word.is_string(), "strings as keywords");
      out.push_back(word.get<std::string>());
    }
    return out;
  }

  std::string where_;
  Json json_;
};

// False too for what cannot be looked at, such as a link to itself.
bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// Numbers the names: names[i] is the class of example i, empty for none.
void number_classes(const std::vector<std::string>& names, FolderIndex& index) {
  std::set<std::string> classes(names.begin(), names.end());
  classes.erase("");
  if (classes.empty()) return;
  index.classes.assign(classes.begin(), classes.end());
  for (size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty()) index.examples[i].label = std::distance(classes.begin(), classes.find(names[i]));
  }
}

FolderIndex read_metadata(const fs::path& folder, const fs::path& file) {
  const MappedFile mapped(file);
  check(mapped.bytes().size() <= kMaxMetadata, ErrorKind::kFormat, file.string(),
        ": expected less than 4 GiB");
  FolderIndex out;
  std::vector<std::string> classes;
  std::string_view rest = as_text(mapped.bytes());
  for (int64_t line = 1; !rest.empty(); ++line) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const MetadataLine fields(text, file.string() + ":" + std::to_string(line));
    ExampleInfo info = fields.read();
    if (is_file(folder / info.id)) {
      out.examples.push_back(std::move(info));
      classes.push_back(fields.class_name());
    } else {
      out.missing.push_back(info.id + ": not there");
    }
  }
  number_classes(classes, out);
  return out;
}

bool is_picture(const fs::path& path) {
  static const std::set<std::string> kExtensions = {".png", ".jpg", ".jpeg", ".webp", ".bmp"};
  std::string extension = path.extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return kExtensions.contains(extension);
}

// Paths of all pictures, inside the folder, sorted by their bytes.
std::vector<std::string> list_pictures(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    const bool hidden = entry->path().filename().string().starts_with(".");
    if (hidden && entry->is_directory()) entry.disable_recursion_pending();
    std::error_code broken;  // A picture that cannot be looked at is one that cannot be read: it is counted.
    const bool file = entry->is_regular_file(broken);
    if (hidden || !is_picture(entry->path()) || (!file && !broken)) continue;
    out.push_back(entry->path().lexically_relative(folder).generic_string());
  }
  check(!error, ErrorKind::kData, "cannot list the folder ", folder.string(), ": ", error.message());
  std::sort(out.begin(), out.end());
  return out;
}

std::string trimmed(std::string text) {
  const char* blank = " \t\r\n";
  const size_t begin = text.find_first_not_of(blank);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

std::string class_of(const std::string& id) {
  const size_t slash = id.find('/');
  return slash == std::string::npos ? "" : id.substr(0, slash);
}

FolderIndex read_files(const fs::path& folder) {
  FolderIndex out;
  std::vector<std::string> classes;
  for (const std::string& path : list_pictures(folder)) {
    ExampleInfo info;
    info.id = path;
    info.words.text = classes.emplace_back(class_of(path));
    std::replace(info.words.text.begin(), info.words.text.end(), '_', ' ');
    const fs::path caption = (folder / path).replace_extension(".txt");
    if (is_file(caption)) info.words.text = trimmed(read_text(caption, kMaxCaption));
    out.examples.push_back(std::move(info));
  }
  number_classes(classes, out);
  return out;
}

}  // namespace

FolderIndex index_folder(const fs::path& folder) {
  std::error_code error;
  check(fs::is_directory(folder, error), ErrorKind::kData, "expected a folder of pictures at ",
        folder.string(), ", found ", fs::exists(folder, error) ? "something else" : "nothing",
        "; hint: give the path of an existing folder");
  const fs::path metadata = folder / "metadata.jsonl";
  return is_file(metadata) ? read_metadata(folder, metadata) : read_files(folder);
}

}  // namespace ldm
