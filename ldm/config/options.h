#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ldm/config/node.h"
#include "ldm/config/option_values.h"

// An options struct lists its fields once and is read, written and explained by that list:
//
//   struct UNetOptions {
//     int64_t model_channels = 128;                // Width of the first level.
//     std::vector<int64_t> channel_mult{1, 2, 4};  // Width of each level, times model_channels.
//     template <typename Visitor>
//     void fields(Visitor&& visit) {
//       visit("model_channels", model_channels, "width of the first level");
//       visit("channel_mult", channel_mult, "width of each level, times model_channels");
//     }
//   };
//
// visit.group("unet", unet, "...") nests a struct with fields of its own, visit.node("params", params, "...")
// keeps a subtree as it is. Field types: bool, integers, double, std::string, Node, structs with fields, and
// std::vector or std::optional of these.
//
// Two sorts of keys have no field, and are there so that files of other programs can be read as they are:
//   visit.ignored("monitor", "checkpoints are kept by number")     any value, without effect: ignored_options
//   visit.only("num_timesteps_cond", "1", "a noised condition is not supported")   that value or null, else
//   kUsage

namespace ldm {

// Sets the fields that `node` (a map, or null for none) names; the others keep their values. `path` leads the
// names in errors: "model.params". Throws kUsage "file:line: path.key: expected ..., got ..." for a wrong
// type, a number out of range, or an unknown key (with the nearest known one); some fields may have been set
// by then.
template <HasFields Options>
void read_options(const Node& node, Options& options, std::string_view path = "") {
  if (node.is_null()) return;
  FieldReader reader(node, path);
  options.fields(reader);
  reader.refuse_unknown();
}

// All fields as a map, in the order of the list; read_options gives back equal options.
template <HasFields Options>
Node write_options(const Options& options) {
  FieldWriter writer;
  Options copy = options;
  copy.fields(writer);
  return writer.take();
}

// The keys of `node` that `Options` lists as ignored, as "path.key: why", in the order of the list.
template <HasFields Options>
std::vector<std::string> ignored_options(const Node& node, std::string_view path = "") {
  std::vector<std::string> found;
  Options options;
  options.fields(IgnoredFields(node, path, found));
  return found;
}

// One line per field, "name=value  what it is", nested names dotted, with the values that `options` has.
template <HasFields Options>
std::string options_help(const Options& options, std::string_view prefix = "") {
  FieldHelp help(prefix);
  Options copy = options;
  copy.fields(help);
  return help.text();
}

}  // namespace ldm
