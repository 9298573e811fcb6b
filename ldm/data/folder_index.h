#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ldm/data/dataset.h"

namespace ldm {

// The pictures that a folder names, before any is opened.
struct FolderIndex {
  std::vector<ExampleInfo> examples;  // id = path inside the folder.
  std::vector<std::string> classes;   // Names of the labels, sorted; empty where none are given.
  std::vector<std::string> missing;   // Named in metadata.jsonl, but not there: "path: reason".
};

// Reads a folder in one of three forms.
// - metadata.jsonl: one object a line with file_name and text (or caption), and optionally keywords (list of
// strings),
//   colour, style, split (strings or null), weight (> 0), and label (integer >= 0) or else class (its
//   name, or such a number). Other keys are left alone. In its order.
// - otherwise every .png .jpg .jpeg .webp .bmp in it and below, by path; the text stands in x.txt beside
// x.png;
// - and where there is no x.txt, the first folder's name is the class and (with spaces for "_") the text.
// Hidden files and folders are passed over. Throws kData for a path that is not a readable folder, kFormat
// (with the line) for broken metadata.
FolderIndex index_folder(const std::filesystem::path& folder);

}  // namespace ldm
