#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ldm {

// What CLDR says about one character or sequence (UTS 35 part 2, "Annotations").
struct Annotation {
  std::string name;                   // The text-to-speech name; empty if the file has none.
  std::vector<std::string> keywords;  // In the file's order.
};

// By the UTF-8 text of the sequence, every U+FE0F removed.
using Annotations = std::map<std::string, Annotation>;

// Reads an annotations/*.xml or annotationsDerived/*.xml of CLDR and adds what it says to `out`. It
// understands the XML that these files use (prolog, comments, elements, attributes, the five named entities
// and character references) and refuses anything else with a format error that names `file_name` and the
// byte.
void parse_annotations(std::span<const std::byte> xml, std::string_view file_name, Annotations& out);

}  // namespace ldm
