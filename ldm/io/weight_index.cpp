#include "ldm/io/weight_index.h"

#include "ldm/core/error.h"
#include "ldm/io/json.h"
#include "ldm/io/printable.h"

namespace ldm {

std::map<std::string, std::string> parse_weight_index(std::span<const std::byte> bytes,
                                                      std::string_view what) {
  const Json json = parse_json(bytes, what);
  check(json.is_object() && json.contains("weight_map") && json["weight_map"].is_object(), ErrorKind::kFormat,
        what, ": expected an object with a weight_map");
  std::map<std::string, std::string> out;
  for (const auto& [name, file] : json["weight_map"].items()) {
    check(file.is_string(), ErrorKind::kFormat, what, ": expected a file name for ", printable(name));
    const auto& text = file.get_ref<const std::string&>();
    const bool plain = !text.empty() && text.size() < 256 && text[0] != '.' &&
                       text.find_first_of(std::string("/\\\0", 3)) == text.npos;
    check(plain, ErrorKind::kFormat, what, ": expected the plain name of a file beside it, got ",
          printable(text));
    out.emplace(name, text);
  }
  return out;
}

}  // namespace ldm
